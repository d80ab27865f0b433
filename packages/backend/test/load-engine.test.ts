import { describe, expect, it } from 'vitest';
import { loadEngine } from '../src/node/index.ts';

type Loaders = NonNullable<Parameters<typeof loadEngine>[1]>;

const fails = (message: string) => () => Promise.reject(new Error(message));

describe('loadEngine', () => {
  it('sets TensorFlow.js to the engine that was asked for', async () => {
    for (const name of ['cpu', 'wasm'] as const) {
      const engine = await loadEngine(name);
      expect(engine.name).toBe(name);
      expect(engine.tf.getBackend()).toBe(name);
      expect(engine.reason).toBe('as asked');
      expect(engine.version).toMatch(/^tfjs 4\./);
    }
  });

  it('takes the next engine for auto, and says why', async () => {
    const { tf } = await loadEngine('cpu');
    const loaders: Loaders = [
      ['native', fails('libtensorflow.so.2 is not there\nand more')],
      ['wasm', () => Promise.resolve({ name: 'wasm', tf, version: '1', device: 'test' })],
      ['cpu', fails('never asked')],
    ];
    expect(await loadEngine('auto', loaders)).toMatchObject({
      name: 'wasm',
      reason: 'the fastest that loads; native does not load: libtensorflow.so.2 is not there',
    });
  });

  it('does not replace an engine that was asked for', async () => {
    const loaders: Loaders = [['native', fails('no such file')]];
    await expect(loadEngine('native', loaders)).rejects.toMatchObject({
      code: 'invalidOptions',
      message:
        'Engine "native" is not to be had (native does not load: no such file). Install @tensorflow/tfjs-node, or take "wasm".',
    });
  });
});
