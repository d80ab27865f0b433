import type { Rank, Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { loadEngine, type LayersTf } from '../src/node/index.ts';
import { furthest, noise } from './models.ts';

vi.setConfig({ testTimeout: 60_000 });

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

async function expectSame(
  inputs: Make,
  f: (tf: LayersTf, ...xs: Tensor[]) => Tensor,
  within = 1e-4,
): Promise<void> {
  const expected = await gradients('cpu', inputs, f);
  const actual = await gradients('wasm', inputs, f);
  expect(actual).toHaveLength(expected.length);
  expected.forEach((values, i) => {
    expect(values.some((value) => Math.abs(value) > 0.1)).toBe(true);
    expect(furthest(values, actual[i] ?? [])).toBeLessThan(within);
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

  it.each([
    ['a filter and strides that are not square', [3, 2], [2, 1], 'same'],
    ['a border given as a number', [3, 3], [1, 1], 1],
    ['a border that no stride comes to the end of', [3, 3], [2, 3], 1],
    ['a border wider than the filter', [2, 2], [1, 1], 3],
  ] as const)('of a convolution, %s', async (_name, size, stride, pad) => {
    const inputs: Make = (tf) => [x(tf), tf.tensor(noise(size[0] * size[1] * 12, 2), [...size, 3, 4])];
    await expectSame(inputs, (tf, a, w) =>
      tf.conv2d(a as never, w as never, [...stride], pad, 'NHWC', 1, pad === 'same' ? undefined : 'floor'),
    );
  });

  it('of a convolution over so many values that they are added up in parts', async () => {
    const inputs: Make = (tf) => [
      tf.tensor(noise(20 * 88 * 96, 1), [20, 88, 96, 1]),
      tf.tensor(noise(18, 2), [3, 3, 1, 2]),
    ];
    await expectSame(inputs, (tf, a, w) => tf.conv2d(a as never, w as never, 1, 'same'), 1e-2);
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('of products of matrices, transposed %s and %s', async (transposeA, transposeB) => {
    const shape = (isTransposed: boolean, rows: number, columns: number): number[] =>
      isTransposed ? [columns, rows] : [rows, columns];
    // Either side may be the larger one, or have but one row; a stack of one is a matrix.
    for (const [rows, inner, columns] of [
      [5, 7, 11],
      [13, 7, 3],
      [1, 9, 6],
      [6, 9, 1],
    ] as const)
      for (const stack of [[], [1]]) {
        const inputs: Make = (tf) => [
          tf.tensor(noise(rows * inner, 1), [...stack, ...shape(transposeA, rows, inner)]),
          tf.tensor(noise(inner * columns, 2), [...stack, ...shape(transposeB, inner, columns)]),
        ];
        await expectSame(inputs, (tf, a, b) => tf.matMul(a, b, transposeA, transposeB));
      }
  });

  it('of stacks of matrices, which are left to the engine', async () => {
    await expectSame(
      (tf) => [tf.tensor(noise(30, 1), [2, 3, 5]), tf.tensor(noise(40, 2), [2, 4, 5])],
      (tf, a, b) => tf.matMul(a, b, false, true),
    );
  });

  it('of a convolution of nothing, or whose filter fits nowhere, are zero', async () => {
    for (const shape of [
      [0, 8, 8, 1],
      [2, 4, 4, 1],
    ]) {
      const { tf } = await loadEngine('wasm');
      const loss = (w: Tensor): Tensor => tf.sum(tf.conv2d(tf.ones(shape) as never, w as never, 1, 'valid'));
      const gradient = tf.tidy(() => tf.grad(loss)(tf.ones([5, 5, 1, 1])));
      expect([...(await gradient.data())]).toEqual(new Array(25).fill(0));
      gradient.dispose();
    }
  });

  it('of a convolution leave nothing behind where no tidy is around them', async () => {
    const { tf } = await loadEngine('wasm');
    const [images, dy] = [tf.ones([3, 6, 6, 2]), tf.ones([3, 6, 6, 4])];
    const before = tf.memory().numTensors;
    const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: [3, 3, 2, 4] };
    tf.dispose(tf.engine().runKernel('Conv2DBackpropFilter', { x: images, dy }, attributes as never));
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([images, dy]);
  });

  it('of a convolution whose rounding its gradient is not told', async () => {
    const w = (tf: LayersTf): Tensor => tf.tensor(noise(9, 2), [3, 3, 1, 1]);
    await expectSame(
      (tf) => [tf.tensor(noise(72, 1), [2, 6, 6, 1])],
      (tf, a) => tf.conv2d(a as never, w(tf) as never, 2, 0, 'NHWC', 1, 'ceil'),
    );
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

describe('gradients that wasm itself gets wrong', () => {
  it.each([
    ['2x2, stride 2', 2, 2, 'valid'],
    ['3x3 same, stride 2', 3, 2, 'same'],
    ['3x3, stride 1', 3, 1, 'valid'],
    ['3x2 same', [3, 2], [1, 3], 'same'],
  ] as const)('of max pooling where all of a window is negative, %s', async (_name, size, stride, pad) => {
    const below = (tf: LayersTf, shape: number[], of: (value: number) => number): Tensor => {
      const values = noise(
        shape.reduce((a, b) => a * b, 1),
        1,
      );
      return tf.tensor(values.map(of), shape);
    };
    // Some of them twice: the first of those gets it.
    const tied = (value: number): number => Math.round(value * 20) / 20 - 2;
    await expectSame(
      (tf) => [below(tf, [2, 7, 8, 3], tied)],
      (tf, a) => tf.maxPool(a as never, size as never, stride as never, pad),
    );
    // The cpu engine takes the last one there, and a window as if it were a cube.
    if (typeof size === 'number')
      await expectSame(
        (tf) => [below(tf, [2, 5, 7, 6, 2], (value) => value - 2)],
        (tf, a) => tf.maxPool3d(a as never, size, stride as never, pad),
      );
  });

  it('of the input of a 3D convolution, in memory that was used before', async () => {
    const { tf } = await loadEngine('wasm');
    for (let i = 0; i < 4; i += 1) {
      tf.dispose(tf.fill([2, 5, 5, 5, 2], 7));
      const inputs: Make = (it) => [
        it.tensor(noise(500, 1), [2, 5, 5, 5, 2]),
        it.tensor(noise(108, 2), [3, 3, 3, 2, 2]),
      ];
      await expectSame(inputs, (it, a, w) => it.conv3d(a as never, w as never, 1, 'valid'));
    }
  });
});

describe('MaxPool3D on wasm', () => {
  it('hands on what is not a number', async () => {
    const { tf } = await loadEngine('wasm');
    const volume = tf.tensor([1, NaN, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2, 1]);
    const pooled: Tensor = tf.maxPool3d(volume as never, 2, 1, 'valid');
    expect([...(await pooled.data())]).toEqual([NaN]);
    tf.dispose([volume, pooled]);
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
