import type { Decision, FailedStep, Json, Recovery } from '@batchwise/core';

const round = (value: number): number => Number(value.toPrecision(3));

/**
 * Ends the run with what failed and what to try: for controllers that only choose a size. Memory is the business of
 * `withCeiling`, which answers before this is asked.
 */
export function giveUp({ kind, plan, microBatchSize }: FailedStep): {
  readonly kind: 'giveUp';
  readonly message: string;
} {
  const { batchSize, learningRateScale } = plan;
  if (kind === 'outOfMemory')
    return {
      kind: 'giveUp',
      message:
        `A step with ${microBatchSize} examples on the device (batch ${batchSize}) did not fit in memory. ` +
        'Choose a smaller batch, or wrap the controller in withCeiling, which splits a step that does not fit.',
    };
  return {
    kind: 'giveUp',
    message:
      `The loss of a batch of ${batchSize} examples is not a finite number, with the learning rate at ` +
      `${round(learningRateScale)} times its configured value. Lower the learning rate or clip the gradients, ` +
      'look for examples with NaN or infinite values, or cap how far the rate follows the batch ' +
      '(a smaller maxBatchSize, or maxScale of withLearningRate).',
  };
}

/** The same recovery with its decision, if there is one, rewritten. */
export function mapRecovery<Inner extends Json, Outer extends Json>(
  recovery: Recovery<Inner>,
  rewrite: (decision: Decision<Inner>) => Decision<Outer>,
): Recovery<Outer> {
  return recovery.kind === 'giveUp' ? recovery : { kind: 'retry', decision: rewrite(recovery.decision) };
}
