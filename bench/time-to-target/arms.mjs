// The contenders: fixed sizes with the rate scaled by the rule that the policies use, the same unscaled, and the policies.
import { fixed, optimizerTraits, policy, withLearningRate } from '@batchwise/tuner';

/** The batch that learning rates are meant for; policies start there. */
export const REFERENCE = 32;

/** The policies of a run where none are named; `fixed` is among the sizes anyway. */
export const POLICIES = ['goodput', 'knee', 'noiseScale', 'schedule'];

export const SIZES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/** All contenders, in a fixed order. */
export const armsOf = ({ sizes, scalings, policies }) => [
  ...scalings.flatMap((scaling) =>
    sizes
      // At the reference both are the same run.
      .filter((batchSize) => scaling === 'scaled' || batchSize !== REFERENCE || !scalings.includes('scaled'))
      .map((batchSize) => ({ name: `${batchSize} ${scaling}`, kind: 'fixed', batchSize, scaling })),
  ),
  ...policies.map((name) => ({ name, kind: 'policy' })),
];

/** The controller of a contender. `epochExamples` sets the milestones of `schedule`: the batch doubles each epoch. */
export function controllerOf(arm, { optimizer, epochExamples }) {
  const { learningRateRule: rule, maxLearningRateScale: maxScale } = optimizerTraits(optimizer);
  if (arm.kind === 'policy') {
    const milestones = [1, 2, 3, 4, 5, 6].map((epoch) => ({
      examples: epoch * epochExamples,
      batchSize: Math.min(REFERENCE * 2 ** epoch, Math.max(REFERENCE, Math.floor(epochExamples / 16))),
    }));
    return policy(arm.name, { optimizer, batchSize: REFERENCE, growth: { milestones } });
  }
  const held = fixed(arm.batchSize);
  return arm.scaling === 'scaled'
    ? withLearningRate(held, { rule, maxScale, referenceBatchSize: REFERENCE })
    : held;
}
