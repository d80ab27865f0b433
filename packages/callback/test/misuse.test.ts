import { expectNoLeak } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { batchwise, fit, type BatchwiseOptions, type TunedSource } from '../src/index.ts';
import { always, classifier, loadData, loadTf, rowsOf, tensorsOf } from './support.ts';

const tf = await loadTf();
const data = await loadData();
const COUNT = 24;
const tensors = tensorsOf(tf, COUNT);
const rows = rowsOf(COUNT);

async function refused(
  options: Partial<BatchwiseOptions>,
  start?: (model: ReturnType<typeof classifier>, tuned: ReturnType<typeof batchwise>) => Promise<unknown>,
) {
  const model = classifier(tf, tf.train.sgd(0.1));
  const tuned = batchwise(tf, { source: tensors, policy: 'fixed', batchSize: 8, ...options });
  const args = { epochs: 2, verbose: 0, callbacks: [tuned.callback] };
  let message = 'not refused';
  await expectNoLeak(tf, async () => {
    try {
      await (start ? start(model, tuned) : model.fitDataset(tuned.dataset, args));
    } catch (error) {
      message = (error as Error).message;
    }
  });
  return message;
}

describe('what cannot be done is refused, with the way out', () => {
  it('one of the two objects without the other', async () => {
    expect(
      await refused({}, (model, { dataset }) => model.fitDataset(dataset, { epochs: 1, verbose: 0 })),
    ).toBe(
      'The tuned data set is used without the tuned callback. Give fitDataset callbacks: [tuned.callback, …] as well.',
    );
    const args = ({ callback }: ReturnType<typeof batchwise>) => ({
      epochs: 1,
      verbose: 0,
      callbacks: [callback],
    });
    const elsewhere =
      'The tuned callback is there, but the batches do not come from the tuned data set. ' +
      'Call model.fitDataset(tuned.dataset, …) with the data set as it is; for model.fit there is fit.';
    expect(await refused({}, (model, tuned) => model.fit(tensors.xs, tensors.ys, args(tuned)))).toBe(
      elsewhere,
    );
  });

  it('two of them in one training, and validation on the tuned data set', async () => {
    const other = batchwise(tf, { source: tensors, policy: 'fixed' });
    expect(
      await refused({}, (model, { dataset, callback }) =>
        model.fitDataset(dataset, { epochs: 1, verbose: 0, callbacks: [callback, other.callback] }),
      ),
    ).toContain('Two tuned callbacks are in one training.');
    const base = Object.getPrototypeOf(tf.Callback.prototype) as object;
    expect(String(Reflect.get(base, 'setModel'))).not.toContain('uncover');
    expect(
      await refused({}, (model, { dataset, callback }) =>
        model.fitDataset(dataset, { epochs: 1, verbose: 0, validationData: dataset, callbacks: [callback] }),
      ),
    ).toContain('The tuned data set is read while no epoch of its own training goes on.');
  });

  it('a model that is compiled again while it is trained', async () => {
    const input = tf.input({ shape: [4] });
    const outputs = tf.layers.dense({ units: 3 }).apply(input) as typeof input;
    const model = tf.model({ inputs: input, outputs });
    const compile = () => model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    compile();
    class Recompiling extends tf.Callback {
      override async onEpochEnd() {
        compile();
      }
    }
    const tuned = batchwise(tf, { source: tensors, policy: 'fixed', batchSize: 8 });
    const callbacks = [tuned.callback, new Recompiling()];
    await expect(model.fitDataset(tuned.dataset, { epochs: 2, verbose: 0, callbacks })).rejects.toThrow(
      'A batch was not trained on by the optimizer that the training began with.',
    );
  });

  const wrong: readonly (readonly [what: string, source: TunedSource, message: string])[] = [
    [
      'a data set in batches',
      data.array([{ xs: tf.ones([8, 4]), ys: tf.ones([8, 3]) }] as never) as never,
      'it seems to be in batches already. Hand it over as it is before .batch()',
    ],
    [
      'a data set of something else',
      data.array([1, 2, 3]) as never,
      'The data set does not give { xs, ys }.',
    ],
    [
      'inputs and targets of different length',
      { xs: tensors.xs, ys: tf.ones([5, 3]) },
      'There are 24 inputs and 5 others.',
    ],
    [
      'two inputs for one',
      { xs: [tensors.xs, tensors.xs], ys: tensors.ys },
      'xs has 2 parts. The model has 1',
    ],
    ['an unknown name', { xs: { pixels: tensors.xs }, ys: tensors.ys }, 'xs has no "dense_Dense'],
    [
      'numbers that make no whole examples',
      { xs: rows.xs.subarray(1), ys: rows.ys },
      '95 numbers do not make whole examples of [4]',
    ],
  ];
  it.each(wrong)('%s', async (_what, source, message) =>
    expect(await refused({ source })).toContain(message),
  );

  it('weights of examples, measured memory, sizes out of order and unknown optimizers', async () => {
    const weighted = {
      size: 8,
      epoch: () => ({
        take: () => ({ xs: tensors.xs as never, ys: tensors.ys as never, weights: [] }),
      }),
    };
    expect(await refused({ source: weighted as never })).toContain(
      'fitDataset of TensorFlow.js has no weights',
    );
    expect(await refused({ controller: always({ batchSize: 8 }, ['memory']) })).toBe(
      'always needs memory measured. That is not done inside fitDataset; use fit of @batchwise/callback, or another controller.',
    );
    expect(await refused({ policy: 'goodput', batchSize: 8, maxBatchSize: 4 })).toContain(
      'batchSize is 8, outside',
    );
    expect(await refused({ ceiling: () => ({ batchSize: null }) })).toContain(
      'Not even one example fits in memory.',
    );
    class Own extends (tf.train.sgd(1).constructor as new (rate: number) => ReturnType<typeof tf.train.sgd>) {
      override getClassName() {
        return 'Own';
      }
    }
    const own = (model: ReturnType<typeof classifier>) => {
      const optimizer = new Own(0.1);
      model.compile({ optimizer, loss: 'categoricalCrossentropy' });
      return optimizer;
    };
    expect(
      await refused({ policy: 'goodput' }, async (model, { dataset, callback }) => {
        const optimizer = own(model);
        try {
          return await model.fitDataset(dataset, { epochs: 1, verbose: 0, callbacks: [callback] });
        } finally {
          optimizer.dispose();
        }
      }),
    ).toContain(
      "The optimizer Own is not one of TensorFlow.js. Say which it takes a larger batch like: optimizer: 'sgd'",
    );
  });

  it('a loss that is not finite, after the update', async () => {
    const xs = tf.tensor2d(new Float32Array(COUNT * 4).fill(NaN), [COUNT, 4]);
    const { ys } = tensors;
    expect(await refused({ source: { xs, ys } })).toBe(
      'The loss of a batch of 8 examples is not a finite number, with the learning rate at 1 times its configured ' +
        'value. Lower the learning rate or clip the gradients, look for examples with NaN or infinite values, or cap ' +
        'how far the rate follows the batch (a smaller maxBatchSize, or maxScale of withLearningRate). ' +
        'fitDataset has made the update, so go back to saved weights.',
    );
    const model = classifier(tf, 'sgd');
    await expect(fit(model, xs, ys, { tf, verbose: 0 })).rejects.toMatchObject({ code: 'nonFinite' });
  });
});

describe('one pair of objects for several trainings', () => {
  it('starts anew each time', async () => {
    const model = classifier(tf, tf.train.sgd(0.1));
    const tuned = batchwise(tf, { source: tensors, policy: 'fixed', batchSize: 8 });
    for (const epochs of [2, 3]) {
      await model.fitDataset(tuned.dataset, { epochs, verbose: 0, callbacks: [tuned.callback] });
      expect(tuned.history.epoch).toHaveLength(epochs);
      expect(tuned.history.changes).toHaveLength(1);
    }
  });
});
