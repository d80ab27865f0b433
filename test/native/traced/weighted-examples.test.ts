import { expect, it } from 'vitest';
import { nativeTensorflow, WHY_NO_NATIVE } from '../native-tensorflow.ts';
import { classifier } from './models.ts';
import { batchOf, furthest, step, stockStep, tracedBackend, weightsOf } from './training.ts';

/** As many in all as there are examples, so that the mean by weight is that of the examples repeated. */
const TIMES = [2, 0, 1, 1, 0, 2];

const repeated = ({ data, shape: [, width = 0] }: { data: ArrayLike<number>; shape: readonly number[] }) => ({
  data: Float32Array.from(
    TIMES.flatMap((times, i) =>
      Array.from({ length: times }, () => Array.from(data).slice(i * width, (i + 1) * width)).flat(),
    ),
  ),
  shape: [TIMES.length, width],
});

it.skipIf(WHY_NO_NATIVE)(
  'a traced step on weighted examples is one on examples that are repeated',
  async () => {
    const { tf } = await nativeTensorflow();
    const [theirs, ours] = [classifier(tf, tf.train.adam(0.01)), classifier(tf, tf.train.adam(0.01))];
    const { backend, said } = tracedBackend(tf, ours);
    for (let i = 0; i < 50; i += 1) {
      const { xs, ys } = batchOf(TIMES.length, i);
      if (!('data' in xs) || !('data' in ys)) throw new Error('rows in host memory');
      const weights = [{ data: Float32Array.from(TIMES), shape: [TIMES.length] }];
      const loss = await stockStep(tf, theirs, { xs: repeated(xs), ys: repeated(ys) });
      expect(Math.abs((await step(backend, { xs, ys, weights })) - loss)).toBeLessThan(1e-5);
    }
    expect(said('gradient')).toMatchObject({ status: 'traced' });
    expect(furthest(await weightsOf(theirs), await weightsOf(ours))).toBeLessThan(1e-5);
    await backend.endRun();
  },
);
