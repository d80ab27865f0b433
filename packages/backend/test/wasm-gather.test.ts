import type { Rank, Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadEngine, type LayersTf } from '../src/node/index.ts';

/** [4, 3, 2], counted up, of every other number but as truth values. */
const table = (tf: LayersTf, dtype: 'float32' | 'int32' | 'bool' = 'float32'): Tensor => {
  const numbers = Array.from({ length: 24 }, (_, i) => (dtype === 'bool' ? i % 2 : i));
  return tf.tidy(() => tf.cast(tf.tensor<Rank>(numbers, [4, 3, 2]), dtype));
};

type Taken = (tf: LayersTf, rows: Tensor) => Tensor;

const integers = (tf: LayersTf, values: number[], shape = [values.length]): Tensor =>
  tf.tensor(values, shape, 'int32');

describe('gathering on wasm', () => {
  it.each<[string, number[], Taken, number[]]>([
    [
      'rows, one of them twice',
      [2, 3, 2],
      (tf, x) => tf.gather(x, [3, 3]),
      [18, 19, 20, 21, 22, 23, 18, 19, 20, 21, 22, 23],
    ],
    ['one row', [3, 2], (tf, x) => tf.gather(x, tf.scalar(2, 'int32')), [12, 13, 14, 15, 16, 17]],
    ['no row', [0, 3, 2], (tf, x) => tf.gather(x, integers(tf, []) as never), []],
    [
      'rows by indices in two dimensions',
      [2, 1, 3, 2],
      (tf, x) => tf.gather(x, integers(tf, [1, 0], [2, 1]) as never),
      [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5],
    ],
    [
      'along a later axis',
      [4, 2, 2],
      (tf, x) => tf.gather(x, [1, 0], 1),
      [2, 3, 0, 1, 8, 9, 6, 7, 14, 15, 12, 13, 20, 21, 18, 19],
    ],
    [
      'along the last axis',
      [4, 3, 1],
      (tf, x) => tf.gather(x, [1], -1),
      [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23],
    ],
    [
      'others from each of a batch',
      [4, 1, 2],
      (tf, x) => tf.gather(x, integers(tf, [2, 0, 1, 2], [4, 1]) as never, 1, 1),
      [4, 5, 6, 7, 14, 15, 22, 23],
    ],
    [
      'others from each of a batch, with an axis between',
      [4, 3, 2],
      (tf, x) => tf.gather(x, integers(tf, [1, 0, 1, 1, 0, 0, 0, 1], [4, 2]) as never, 2, 1),
      [1, 0, 3, 2, 5, 4, 7, 7, 9, 9, 11, 11, 12, 12, 14, 14, 16, 16, 18, 19, 20, 21, 22, 23],
    ],
    ['integers', [1, 3, 2], (tf) => tf.gather(table(tf, 'int32'), [1]), [6, 7, 8, 9, 10, 11]],
    [
      'truth values, which are a byte each',
      [1, 3, 2],
      (tf) => tf.gather(table(tf, 'bool'), [1]),
      [0, 1, 0, 1, 0, 1],
    ],
  ])('takes %s', async (_name, shape, taken, expected) => {
    const { tf } = await loadEngine('wasm');
    const before = tf.memory().numTensors;
    const gathered = tf.tidy(() => taken(tf, table(tf)));
    expect(gathered.shape).toEqual(shape);
    expect([...(await gathered.data())]).toEqual(expected);
    gathered.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps the type', async () => {
    const { tf } = await loadEngine('wasm');
    for (const dtype of ['float32', 'int32', 'bool'] as const)
      expect(tf.tidy(() => tf.gather(table(tf, dtype), [1]).dtype)).toBe(dtype);
  });

  it('refuses what there is not', async () => {
    const { tf } = await loadEngine('wasm');
    const gather = (index: number, axis: number) => () =>
      tf.tidy(() => tf.gather(table(tf), [0, index], axis));
    expect(gather(4, 0)).toThrow('GatherV2: the index value 4 is not in [0, 3]');
    expect(gather(-1, 0)).toThrow('GatherV2: the index value -1 is not in [0, 3]');
    expect(gather(3, 1)).toThrow('GatherV2: the index value 3 is not in [0, 2]');
  });
});
