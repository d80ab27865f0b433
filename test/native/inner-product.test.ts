import { tfjsBackend } from '@batchwise/backend';
import { describe, expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE } from './native-tensorflow.ts';
import { classifier } from './traced/models.ts';
import { noise } from './traced/training.ts';

describe.skipIf(WHY_NO_NATIVE)('the inner product of two gradients on native TensorFlow', () => {
  it('is that of double precision to 2e-6, over millions of values', async () => {
    const { tf } = await nativeTensorflow();
    const backend = tfjsBackend(tf, classifier(tf, 'sgd'));
    const sizes = [2 ** 21, 2 ** 20, 3];
    const gradient = (seed: number) =>
      sizes.map((size, i) => {
        // All of one sign, so that nothing cancels and each value counts.
        const values = noise(size, seed + i).map((value) => 1 + value / 2);
        return { name: `w${i}`, values, tensor: tf.tensor(values) };
      });
    const [a, b] = [gradient(1), gradient(5)];
    let exact = 0;
    a.forEach(({ values }, i) => values.forEach((value, k) => (exact += value * (b[i]?.values[k] ?? NaN))));
    const product = await backend.dot(a, b).read();
    expect(Math.abs(product / exact - 1)).toBeLessThan(2e-6);
    // What one of them lacks counts nothing.
    const lacking = b.map((part, i) => (i === 1 ? { ...part, tensor: null } : part));
    let rest = 0;
    for (const i of [0, 2]) a[i]?.values.forEach((value, k) => (rest += value * (b[i]?.values[k] ?? NaN)));
    expect(Math.abs((await backend.dot(a, lacking).read()) / rest - 1)).toBeLessThan(2e-6);
    tf.dispose([...a, ...b].map(({ tensor }) => tensor));
    await backend.endRun();
  });
});
