import { batchwise, fit, tensorBoardObserver, type SummaryWriter } from '@batchwise/callback';
import type { BatchController, Decision, Json, Observer } from '@batchwise/core';
import { addSample, noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../cli/batchwise.ts';
import { writtenScalars, type WrittenScalar } from './callback-events.ts';
import { nativeTensorflow, WHY_NO_NATIVE } from './native-tensorflow.ts';
import { classifier } from './traced/models.ts';
import { noise } from './traced/training.ts';

/** Examples of an epoch. */
const COUNT = 72;
const EPOCHS = 10;

/** Three sizes in turn, which make an epoch, each with its rate, and all is measured. */
const SIZES = [16, 24, 32];
const decide = (at: number): Decision<Json> => {
  const batchSize = SIZES[at % SIZES.length] ?? NaN;
  return {
    plan: { batchSize, microBatchSize: batchSize, learningRateScale: batchSize / 16 },
    reason: { code: 'in-turn', text: 'It was its turn.', numbers: { at } },
    measure: ['loss', 'seconds', 'gradient'],
    state: at,
  };
};
const controller: BatchController<Json> = {
  name: 'in turn',
  measures: ['loss', 'seconds', 'gradient'],
  start: () => decide(0),
  next: (_step, at) => decide(Number(at) + 1),
  recover: () => ({ kind: 'giveUp', message: 'No failure was expected.' }),
};

/** What TensorBoard should be told, kept by what runs beside it. */
function beside(): { readonly expected: WrittenScalar[]; readonly observer: Observer } {
  const expected: WrittenScalar[] = [];
  let noise: NoiseScaleState | undefined;
  const observer: Observer = {
    name: 'beside',
    onStepFinished({ step, outcome, learningRateScale }) {
      if (outcome.gradient) noise = addSample(noise, outcome.gradient, { horizonExamples: 8192 });
      const estimate = noiseScale(noise);
      const told = {
        batch_size: outcome.examples,
        learning_rate_scale: learningRateScale,
        step_seconds: outcome.seconds,
        noise_scale: estimate.known ? estimate.noiseScale : undefined,
      };
      for (const [name, value] of Object.entries(told))
        if (value !== undefined) expected.push({ tag: `batchwise/${name}`, step, value: Math.fround(value) });
    },
  };
  return { expected, observer };
}

describe.skipIf(WHY_NO_NATIVE)('TensorBoard reads what a run writes by tf.node.summaryFileWriter', () => {
  it.each(['fitDataset', 'fit'] as const)('of %s', async (way) => {
    const { tf } = await nativeTensorflow();
    const folder = await temporaryFolder();
    const { node } = tf as unknown as { node: { summaryFileWriter(folder: string): SummaryWriter } };
    const inputs = noise(4 * COUNT, 1);
    const xs = tf.tensor2d(inputs, [COUNT, 4]);
    const classOf = (example: number) => ((inputs[4 * example] ?? NaN) > 0 ? 0 : 1);
    const ys = tf.tensor2d(
      Float32Array.from({ length: 3 * COUNT }, (_, i) => Number(i % 3 === classOf(Math.floor(i / 3)))),
      [COUNT, 3],
    );
    const { expected, observer } = beside();
    const observers = [tensorBoardObserver(node.summaryFileWriter(folder)), observer];
    const model = classifier(tf, tf.train.sgd(0.001));
    if (way === 'fit')
      await fit(model, xs, ys, { tf, epochs: EPOCHS, verbose: 0, tuner: { controller, observers } });
    else {
      const tuned = batchwise(tf, { source: { xs, ys }, controller, observers });
      await model.fitDataset(tuned.dataset, { epochs: EPOCHS, verbose: 0, callbacks: [tuned.callback] });
    }
    tf.dispose([xs, ys]);
    const written = writtenScalars(folder);
    const values = (name: string) =>
      written.filter(({ tag }) => tag === `batchwise/${name}`).map(({ value }) => value);
    const each = <T>(epoch: readonly T[]) => Array.from({ length: EPOCHS }, () => epoch).flat();
    expect(values('batch_size')).toEqual(each(SIZES));
    expect(values('learning_rate_scale')).toEqual(each([1, 1.5, 2]));
    expect(values('step_seconds').filter((seconds) => seconds > 0)).toHaveLength(3 * EPOCHS);
    expect(values('noise_scale').length).toBeGreaterThan(0);
    expect(written).toEqual(expected);
  });
});
