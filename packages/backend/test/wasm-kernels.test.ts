import type { Rank, Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadEngine, type LayersTf } from '../src/node/index.ts';
import { furthest, noise } from './models.ts';

type Make = (tf: LayersTf) => Tensor<Rank>[];

/** Gradients of Σ (f(x) · fixed noise), so that each output position has a weight of its own. */
async function gradients(engine: 'cpu' | 'wasm', inputs: Make, f: (tf: LayersTf, ...xs: Tensor[]) => Tensor) {
  const { tf } = await loadEngine(engine);
  const before = tf.memory().numTensors;
  const xs = inputs(tf);
  const all = tf.tidy(() =>
    tf.grads((...args: Tensor[]) => {
      const y = f(tf, ...args);
      return tf.sum(tf.mul(y, tf.tensor(noise(y.size, 9), y.shape)));
    })(xs),
  );
  const values: number[][] = [];
  for (const gradient of all) values.push(Array.from(await gradient.data()));
  tf.dispose([...xs, ...all]);
  expect(tf.memory().numTensors).toBe(before);
  return values;
}

async function expectSame(inputs: Make, f: (tf: LayersTf, ...xs: Tensor[]) => Tensor): Promise<void> {
  const expected = await gradients('cpu', inputs, f);
  const actual = await gradients('wasm', inputs, f);
  expect(actual).toHaveLength(expected.length);
  expected.forEach((values, i) => {
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.1);
    expect(furthest(values, actual[i] ?? [])).toBeLessThan(1e-4);
  });
}

type Pad = 'same' | 'valid';

describe('gradients on wasm equal those of the cpu engine', () => {
  const images: [string, number, Pad, number][] = [
    ['3x3 same', 3, 'same', 1],
    ['3x3 valid', 3, 'valid', 1],
    ['1x1', 1, 'same', 1],
    ['3x3 same, stride 2', 3, 'same', 2],
    ['2x2 valid, stride 3', 2, 'valid', 3],
    ['5x5 same, stride 2', 5, 'same', 2],
  ];
  const x = (tf: LayersTf): Tensor => tf.tensor(noise(2 * 7 * 8 * 3, 1), [2, 7, 8, 3]);

  it.each(images)('of a convolution, %s', async (_name, size, pad, stride) => {
    const inputs: Make = (tf) => [x(tf), tf.tensor(noise(size * size * 3 * 4, 2), [size, size, 3, 4])];
    await expectSame(inputs, (tf, a, w) => tf.conv2d(a as never, w as never, stride, pad));
  });

  it.each(images)('of a depthwise convolution, %s', async (_name, size, pad, stride) => {
    for (const multiplier of [1, 2]) {
      const shape: [number, number, number, number] = [size, size, 3, multiplier];
      const inputs: Make = (tf) => [x(tf), tf.tensor(noise(size * size * 3 * multiplier, 2), shape)];
      await expectSame(inputs, (tf, a, w) => tf.depthwiseConv2d(a as never, w as never, stride, pad));
    }
  });

  it('of rows that are looked up, some of them twice', async () => {
    const inputs: Make = (tf) => [tf.tensor(noise(5 * 3, 1), [5, 3])];
    await expectSame(inputs, (tf, table) => tf.gather(table as Tensor, tf.tensor1d([4, 0, 4, 2], 'int32')));
    await expectSame(inputs, (tf, table) =>
      tf.gather(
        table as Tensor,
        tf.tensor2d(
          [
            [1, 1],
            [3, 0],
          ],
          [2, 2],
          'int32',
        ),
      ),
    );
  });
});

describe('UnsortedSegmentSum on wasm', () => {
  it('adds rows by segment, as computed by hand, and leaves empty segments at zero', async () => {
    const { tf } = await loadEngine('wasm');
    const sums = tf.unsortedSegmentSum(
      tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]),
      tf.tensor1d([2, 0, 2], 'int32'),
      4,
    );
    expect(Array.from(await sums.data())).toEqual([3, 4, 0, 0, 6, 8, 0, 0]);
  });
});
