import { describe, expect, it } from 'vitest';
import { loadEngine } from '../src/node/index.ts';
import { place } from '../src/uploaded.ts';

const { tf } = await loadEngine('cpu');
const [a, b] = [tf.tensor2d([0, 1, 2, 3, 4, 5], [3, 2]), tf.tensor1d([10, 11, 12])];
const indices = Int32Array.of(2, 0);
const fine = (): void => undefined;

describe('a batch on the device', () => {
  it('uploads the indices that several share once, and gathers the rows when it is asked', async () => {
    const before = tf.memory().numTensors;
    const placed = place(tf, { xs: { tensor: a, indices }, ys: { tensor: b, indices } }, fine);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(placed.inputs.slice(1)).toEqual([a, b]);
    const { xs, ys, weights } = placed.rows();
    expect(await Promise.all([...xs, ...ys].map((tensor) => tensor.array()))).toEqual([
      [
        [4, 5],
        [0, 1],
      ],
      [12, 10],
    ]);
    expect(weights).toEqual([]);
    tf.dispose([...xs, ...ys]);
    placed.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect([a, b].map((tensor) => tensor.isDisposed)).toEqual([false, false]);
  });

  it('hands arrays over as they are', async () => {
    const rows = { data: Float32Array.of(1, 2), shape: [2, 1] };
    const placed = place(tf, { xs: rows, ys: { tensor: b, indices }, weights: [rows] }, fine);
    const { xs, ys, weights } = placed.rows();
    for (const [tensor] of [xs, weights]) expect(await tensor?.array()).toEqual([[1], [2]]);
    tf.dispose([...ys]);
    placed.dispose();
  });

  it('has another key where other tensors go in, or go elsewhere', () => {
    const other = indices.slice();
    const clone = tf.tensor1d([0, 1, 2]);
    const batches = [
      { xs: { tensor: a, indices }, ys: { tensor: b, indices } },
      { xs: { tensor: a, indices }, ys: { tensor: b, indices: other } },
      { xs: { tensor: b, indices }, ys: { tensor: b, indices } },
      { xs: { tensor: b, indices }, ys: { tensor: clone, indices } },
      { xs: { tensor: a, indices: indices.subarray(1) }, ys: { tensor: b, indices: indices.subarray(1) } },
      { xs: { tensor: a, indices: indices.subarray(0, 1) }, ys: { tensor: b, indices: indices.subarray(1) } },
      { xs: { data: new Float32Array(4), shape: [2, 2] }, ys: { tensor: b, indices } },
    ];
    const placed = batches.map((batch) => place(tf, batch, fine));
    expect(new Set(placed.map(({ key }) => key)).size).toBe(batches.length);
    // The same again is the same, whatever the values.
    const again = place(tf, { xs: { tensor: a, indices: other }, ys: { tensor: b, indices: other } }, fine);
    expect(again.key).toBe(placed[0]?.key);
    for (const { dispose } of [...placed, again]) dispose();
    clone.dispose();
  });

  it('has a half, of its own, with the same family', async () => {
    const four = Int32Array.of(2, 0, 1, 1, 0);
    const weights = [{ data: Float32Array.of(1, 2, 3, 4, 5), shape: [5] }];
    const before = tf.memory().numTensors;
    const whole = place(
      tf,
      { xs: { tensor: a, indices: four }, ys: { tensor: b, indices: four }, weights },
      fine,
    );
    const half = whole.firstHalf();
    if (!half) throw new Error('no half');
    expect(tf.memory().numTensors).toBe(before + 4);
    expect([half.family, half.inputs.slice(2)]).toEqual([whole.family, [a, b]]);
    expect(half.key).not.toBe(whole.key);
    const rows = half.rows();
    expect(await rows.ys[0]?.array()).toEqual([12, 10]);
    expect(await rows.weights[0]?.array()).toEqual([1, 2]);
    tf.dispose([...rows.xs, ...rows.ys]);
    expect(half.firstHalf()).toBeUndefined();
    for (const { dispose } of [half, whole]) dispose();
    expect(tf.memory().numTensors).toBe(before);
    const other = place(tf, { xs: { tensor: b, indices }, ys: { tensor: b, indices } }, fine);
    expect(other.family).not.toBe(whole.family);
    other.dispose();
  });

  it('uploads nothing where a tensor is refused', () => {
    const before = tf.memory().numTensors;
    const refuse = (): never => {
      throw new Error('lost');
    };
    const rows = { data: new Float32Array(2), shape: [2, 1] };
    expect(() => place(tf, { xs: rows, ys: { tensor: b, indices } }, refuse)).toThrow('lost');
    expect(tf.memory().numTensors).toBe(before);
  });
});
