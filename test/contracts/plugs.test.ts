import { builtInDigits, imageSource, type ArrayBatch } from '@batchwise/data';
import { sequential, shuffled, subset } from '@batchwise/sampler';
import { describeController, describeSampler, describeSource } from '@batchwise/testing';
import {
  fixed,
  goodput,
  knee,
  policy,
  policyNames,
  withCeiling,
  withHysteresis,
  withLadder,
  withLearningRate,
} from '@batchwise/tuner';

describeController('fixed', () => fixed(32));
describeController('knee', () => knee());
describeController('goodput', () => goodput());
describeController('withLadder', () => withLadder(goodput(), [8, 48, 96, 400]));
describeController('withHysteresis', () => withHysteresis(goodput(), { ratio: 1.4, dwellSteps: 20 }));
describeController('withCeiling, accumulating', () => withCeiling(goodput(), { batchSize: 100 }));
describeController('withCeiling, cutting', () =>
  withCeiling(goodput(), { batchSize: 100, accumulate: false }),
);
describeController('withLearningRate', () =>
  withLearningRate(goodput(), { rule: 'linear', referenceBatchSize: 32, maxScale: 4 }),
);
for (const name of policyNames) describeController(`policy ${name}`, () => policy(name));
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
