import { describe, expect, it, vi } from 'vitest';
import { registerWasmTrainingKernels } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { furthest, noise } from './models.ts';

vi.setConfig({ testTimeout: 60_000 });

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

describe('BatchMatMul on wasm', () => {
  it('of no rows is zero', async () => {
    const { tf } = await loadEngine('wasm');
    const product = tf.matMul(tf.zeros([0, 2]), tf.zeros([0, 3]), true);
    expect([product.shape, ...(await product.data())]).toEqual([[2, 3], 0, 0, 0, 0, 0, 0]);
  });

  it('of a matrix with its transpose adds up two million rows to five digits, where one product keeps three', async () => {
    const { tf } = await loadEngine('wasm');
    const before = tf.memory().numTensors;
    const values = noise(2 ** 22, 5).map(Math.abs);
    // Row by row in double precision, by the definition.
    const exact = [0, 0, 0, 0];
    for (let row = 0; row < values.length; row += 2)
      for (const at of [0, 1, 2, 3])
        exact[at] = (exact[at] ?? 0) + (values[row + (at >> 1)] ?? 0) * (values[row + (at & 1)] ?? 0);
    const x = tf.tensor2d(values, [2 ** 21, 2]);
    const products = tf.matMul(x, x, true);
    (await products.data()).forEach((product, at) =>
      expect(Math.abs(product / (exact[at] ?? NaN) - 1)).toBeLessThan(1e-5),
    );
    tf.dispose([x, products]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
