import type { Rank, Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { registerWasmTrainingKernels } from '../src/index.ts';
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

describe('Sum and Mean on wasm', () => {
  /** Added up in double precision, by the definition: over every index, into the index of the output. */
  function expected(values: Float32Array, shape: readonly number[], axes: readonly number[]): number[] {
    const kept = shape.map((length, i) => (axes.includes(i) ? 1 : length));
    const sums = new Array<number>(kept.reduce((a, b) => a * b, 1)).fill(0);
    values.forEach((value, flat) => {
      let [rest, target, stride] = [flat, 0, 1];
      for (let i = shape.length - 1; i >= 0; i -= 1) {
        const [length = 1, keep = 1] = [shape[i], kept[i]];
        if (keep > 1) target += (rest % length) * stride;
        stride *= keep;
        rest = Math.floor(rest / length);
      }
      sums[target] = (sums[target] ?? 0) + value;
    });
    return sums;
  }

  const cases: [string, number[], number[] | undefined, number[]][] = [
    ['all', [7, 5, 3], undefined, []],
    ['the first axis', [7, 5, 3], [0], [5, 3]],
    ['the last axis', [7, 5, 3], [-1], [7, 5]],
    ['one in the middle', [7, 5, 3], [1], [7, 3]],
    ['two side by side', [2, 7, 5, 3], [2, 1], [2, 3]],
    ['two apart', [7, 5, 3], [0, 2], [5]],
  ];
  it.each(cases)(
    'over %s are right to the last digit of single precision',
    async (_name, shape, axes, left) => {
      const { tf } = await loadEngine('wasm');
      const values = noise(
        shape.reduce((a, b) => a * b, 1),
        4,
      );
      const wanted = expected(
        values,
        shape,
        (axes ?? shape.map((_, i) => i)).map((a) => (a + shape.length) % shape.length),
      );
      const count = values.length / wanted.length;
      const x = tf.tensor(values, shape);
      for (const keepDims of [false, true]) {
        const [sum, mean] = [tf.sum(x, axes, keepDims), tf.mean(x, axes, keepDims)];
        if (!keepDims) expect(sum.shape).toEqual(left);
        else expect(sum.shape).toEqual(tf.mean(x, axes, true).shape);
        expect(sum.rank).toBe(keepDims ? shape.length : left.length);
        expect(furthest(Array.from(await sum.data()), wanted)).toBeLessThan(1e-5);
        expect(
          furthest(
            Array.from(await mean.data()),
            wanted.map((value) => value / count),
          ),
        ).toBeLessThan(1e-6);
      }
    },
  );

  it('keep four million values to seven digits, where the engine itself loses them after three', async () => {
    const { tf } = await loadEngine('wasm');
    const values = noise(2 ** 22, 5).map((value) => value * value);
    const [exact = NaN] = expected(values, [values.length], [0]);
    const x = tf.tensor(values);
    const [sum] = await tf.sum(x).data();
    const [mean] = await tf.mean(x).data();
    expect(Math.abs((sum ?? NaN) / exact - 1)).toBeLessThan(1e-7);
    expect(Math.abs((mean ?? NaN) / (exact / values.length) - 1)).toBeLessThan(1e-7);
    const [columns] = await tf.sum(tf.reshape(x, [2 ** 21, 2]), 0).data();
    const [evens = NaN] = expected(
      values.filter((_, i) => i % 2 === 0),
      [2 ** 21],
      [0],
    );
    expect(Math.abs((columns ?? NaN) / evens - 1)).toBeLessThan(1e-7);
  });

  it('leave integers exact, and are put in place once', async () => {
    const { tf } = await loadEngine('wasm');
    const kernel = tf.getKernel('Sum', 'wasm');
    registerWasmTrainingKernels(tf);
    expect(tf.getKernel('Sum', 'wasm')).toBe(kernel);
    const x = tf.tensor([2 ** 24, 1, 1], [3], 'int32');
    expect([...(await tf.sum(x).data())]).toEqual([2 ** 24 + 2]);
    expect(tf.sum(x).dtype).toBe('int32');
    expect([...(await tf.sum(tf.zeros([0, 2]), 0).data())]).toEqual([0, 0]);
  });
});
