import type { Reason } from '@batchwise/core';
import type { SizeAnswer } from './choose-size.ts';
import type { NoiseBelief } from './noise-belief.ts';

/** Two significant digits, never in powers of ten. */
export const about = (value: number): string => String(Number(value.toPrecision(2)));

/** Seconds as a person says them: `3.1 ms`, `1.2 s`. */
export const duration = (seconds: number): string =>
  seconds < 1 ? `${about(seconds * 1000)} ms` : `${about(seconds)} s`;

/** Why the batch moves from the held to the chosen size, which differ. */
export function goodputReason(
  { held, chosen, progressRatio }: SizeAnswer,
  noise: NoiseBelief,
  criticalBatchSize: number,
): Reason {
  const verdict =
    chosen.batchSize > held.batchSize
      ? 'the gradients are noisy enough for the larger batch to pay'
      : 'the gradients are not noisy enough for the larger batch to make up for that';
  const evidence = noise.measured
    ? `noise scale about ${about(noise.noiseScale)} examples`
    : `a noise scale of ${about(noise.noiseScale)} examples is assumed until it is measured`;
  return {
    code: 'goodput',
    text:
      `A step of ${chosen.batchSize} takes ${duration(chosen.stepSeconds)} where one of ${held.batchSize} takes ` +
      `${duration(held.stepSeconds)}, and ${verdict} (${evidence}): ${chosen.batchSize} makes ` +
      `${progressRatio.toFixed(2)} times the progress per second.`,
    numbers: {
      batchSize: chosen.batchSize,
      heldBatchSize: held.batchSize,
      stepSeconds: chosen.stepSeconds,
      heldStepSeconds: held.stepSeconds,
      noiseScale: noise.noiseScale,
      criticalBatchSize,
      progressRatio,
      logBatchSizeError: noise.relativeError / 2,
    },
  };
}

/** Why nothing changes. */
export const steadyReason = (batchSize: number): Reason => ({
  code: 'steady',
  text: `${batchSize} stays.`,
  numbers: { batchSize },
});

/** Why the batch goes back to where it was. */
export const homeReason = (batchSize: number): Reason => ({
  code: 'explored',
  text: `Other sizes were tried; ${batchSize} stays.`,
  numbers: { batchSize },
});

/** The first plan of a controller that learns. */
export const startReason = (batchSize: number): Reason => ({
  code: 'start',
  text: `The run starts with batches of ${batchSize}, to see what a step takes.`,
  numbers: { batchSize },
});
