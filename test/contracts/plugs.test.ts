import { builtInDigits, imageSource, type ArrayBatch } from '@batchwise/data';
import { cosineDecay, stepDecay } from '@batchwise/core';
import {
  classBalanced,
  concatenated,
  mixed,
  sequential,
  shard,
  shuffled,
  stratified,
  subset,
  withReplacement,
} from '@batchwise/sampler';
import {
  adjustable,
  lossProportional,
  prioritized,
  weighted,
  weightedWithoutReplacement,
  type AdjustableState,
  type ScoresState,
} from '@batchwise/sampler-weighted';
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
  withSecondMoment,
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
describeController('withSecondMoment', () => withSecondMoment(goodput()), {
  run: { datasetSize: 54_000, plannedExamples: 540_000, seed: 1, secondMoment: { decay: 0.99, updates: 0 } },
});
const growth = { rate: stepDecay(3000, 0.5) };
for (const name of policyNames) describeController(`policy ${name}`, () => policy(name, { growth }));
describeController('policy goodput on a stream', () => policy('goodput', { optimizer: 'sgd' }), {
  run: { datasetSize: undefined, plannedExamples: undefined, seed: 1 },
});

describeSampler('sequential', () => sequential(57));
describeSampler('shuffled', () => shuffled(57, { seed: 3 }));
describeSampler('shuffled, feistel', () => shuffled(57, { seed: 3, order: 'feistel' }));
describeSampler('subset', () => subset([5, 1, 9, 12, 3, 40, 41], shuffled(7, { seed: 3 })));

const labels = Array.from({ length: 57 }, (_, k) => (k % 11 === 0 ? 2 : k % 3 === 0 ? 1 : 0));
const weights = labels.map((label, k) => 1 + label + k / 20);
const repeats = { eachOnce: false };
describeSampler('stratified', () => stratified(labels, { seed: 3 }));
describeSampler('classBalanced', () => classBalanced(labels, { seed: 3 }), repeats);
describeSampler('withReplacement', () => withReplacement(57, { seed: 3, size: 80 }), repeats);
describeSampler('concatenated', () => concatenated([shuffled(20, { seed: 3 }), sequential(7)]));
describeSampler(
  'mixed',
  () =>
    mixed(
      [
        { sampler: shuffled(20, { seed: 3 }), proportion: 1 },
        { sampler: weighted(weights, { seed: 4, beta: 1 }), proportion: 2 },
      ],
      { seed: 5 },
    ),
  repeats,
);
describeSampler('shard', () => shard(shuffled(57, { seed: 3 }), { rank: 2, world: 4 }));
describeSampler('weighted', () => weighted(weights, { seed: 3, beta: 0.5 }), repeats);
describeSampler('weightedWithoutReplacement', () =>
  weightedWithoutReplacement(weights, { seed: 3, size: 40 }),
);
describeSampler(
  'adjustable',
  (state?: AdjustableState) => adjustable(weights, { seed: 3, beta: 1, state }),
  repeats,
);
const byLoss = (state?: ScoresState) => lossProportional(57, { seed: 3, staleAfter: 20, state });
describeSampler('lossProportional', byLoss, repeats);
describeSampler('prioritized', (state?: ScoresState) => prioritized(57, { seed: 3, state }), repeats);
describeSampler(
  'subset of lossProportional',
  (state?: ScoresState) =>
    subset(
      labels.map((_, k) => 3 * k),
      byLoss(state),
    ),
  repeats,
);
describeSampler(
  'shard of lossProportional',
  (state?: ScoresState) => shard(byLoss(state), { rank: 1, world: 3 }),
  repeats,
);
describeSampler(
  'mixed with lossProportional',
  (state?: readonly [null, ScoresState]) =>
    mixed(
      [
        { sampler: shuffled(20, { seed: 3 }), proportion: 2 },
        { sampler: byLoss(state?.[1]), proportion: 1 },
      ],
      { seed: 5 },
    ),
  repeats,
);
describeSampler(
  'concatenated with lossProportional',
  (state?: readonly [null, ScoresState]) => concatenated([sequential(5), byLoss(state?.[1])]),
  repeats,
);

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
