import { builtInDigits, imageSource, type ArrayBatch } from '@batchwise/data';
import { cosineDecay, stepDecay } from '@batchwise/core';
import { sequential, shuffled, subset } from '@batchwise/sampler';
import { describeController, describeSampler, describeSource } from '@batchwise/testing';
import {
  fixed,
  goodput,
  knee,
  noiseScale,
  policy,
  policyNames,
  schedule,
  withBatchNormAdvice,
  withCeiling,
  withGuard,
  withHysteresis,
  withLadder,
  withLearningRate,
} from '@batchwise/tuner';

describeController('fixed', () => fixed(32));
describeController('knee', () => knee());
describeController('goodput', () => goodput());
describeController('noiseScale', () => noiseScale());
describeController('schedule by a rate', () => schedule({ rate: cosineDecay(20_000) }));
describeController('schedule by milestones', () =>
  schedule({ milestones: [{ examples: 900, batchSize: 70 }] }),
);
describeController('withGuard', () => withGuard(knee(), { everySteps: 30 }));
describeController('withBatchNormAdvice', () => withBatchNormAdvice(withCeiling(knee(), { batchSize: 10 })));
describeController('withLadder', () => withLadder(goodput(), [8, 48, 96, 400]));
describeController('withHysteresis', () => withHysteresis(goodput(), { ratio: 1.4, dwellSteps: 20 }));
describeController('withCeiling, accumulating', () => withCeiling(goodput(), { batchSize: 100 }));
describeController('withCeiling, cutting', () =>
  withCeiling(goodput(), { batchSize: 100, accumulate: false }),
);
describeController('withLearningRate', () =>
  withLearningRate(goodput(), { rule: 'linear', referenceBatchSize: 32, maxScale: 4 }),
);
const growth = { rate: stepDecay(3000, 0.5) };
for (const name of policyNames) describeController(`policy ${name}`, () => policy(name, { growth }));
describeController('policy goodput on a stream', () => policy('goodput', { optimizer: 'sgd' }), {
  run: { datasetSize: undefined, plannedExamples: undefined, seed: 1 },
});

describeSampler('sequential', () => sequential(57));
describeSampler('shuffled', () => shuffled(57, { seed: 3 }));
describeSampler('subset', () => subset([5, 1, 9, 12, 3, 40, 41], shuffled(7, { seed: 3 })));

/** Images are told apart by their pixels. */
const fingerprints = ({ xs }: ArrayBatch): number[] => {
  const [count = 0] = xs.shape;
  const pixels = xs.data.length / count;
  return Array.from({ length: count }, (_, row) =>
    xs.data.subarray(row * pixels, (row + 1) * pixels).reduce((sum, value, i) => sum + value * (i + 1), 0),
  );
};
for (const shuffle of [true, false]) {
  const digits = builtInDigits({ seed: 2, trainCount: 61, testCount: 1 });
  describeSource(
    `imageSource, ${shuffle ? 'shuffled' : 'in order'}`,
    () => imageSource(digits.train, { ...digits, shuffle, seed: 5 }),
    { idsOf: fingerprints },
  );
}
