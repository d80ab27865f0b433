import { expect, it } from 'vitest';
import { loadData, loadTf } from './support.ts';

it('these tests run on the TensorFlow.js that was asked for', async () => {
  const [tf, data] = [await loadTf(), await loadData()];
  const asked = process.env['BATCHWISE_TFJS_VERSION'] ?? '4.22.0';
  expect([tf.version_core, tf.version_layers, data.version_data]).toEqual([asked, asked, asked]);
});
