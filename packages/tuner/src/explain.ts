import type { Reason } from '@batchwise/core';
import type { SizeAnswer } from './choose-size.ts';
import type { WeighedSize } from './choose-size.ts';
import type { NoiseBelief } from './noise-belief.ts';

/** What was believed when the batch last moved: a later move that goes back must say what is different now. */
export type LastMove = {
  readonly from: number;
  readonly to: number;
  /** Examples. */
  readonly noiseScale: number;
  /** What a step of `to` was expected to take. */
  readonly seconds: number;
};

/** Two significant digits, never in powers of ten. */
export const about = (value: number): string => String(Number(value.toPrecision(2)));

/** Seconds as a person says them: `3.1 ms`, `1.2 s`. */
export const duration = (seconds: number): string =>
  seconds < 1 ? `${about(seconds * 1000)} ms` : `${about(seconds)} s`;

/** Why the batch moves from the held to the chosen size, which differ. */
export function goodputReason(
  { held, chosen, progressRatio }: SizeAnswer,
  noise: NoiseBelief,
  { criticalBatchSize, lastMove }: { readonly criticalBatchSize: number; readonly lastMove: LastMove | null },
): Reason {
  const verdict =
    chosen.batchSize > held.batchSize
      ? 'at this noise the larger batch pays'
      : 'at this noise the larger batch does not make up for that';
  const evidence = noise.measured
    ? `noise scale about ${about(noise.noiseScale)} examples`
    : `a noise scale of ${about(noise.noiseScale)} examples is assumed until it is measured`;
  const takes = chosen.predicted ? 'should take' : 'takes';
  const makes = chosen.predicted ? 'should make' : 'makes';
  return {
    code: 'goodput',
    text:
      `A step of ${chosen.batchSize} ${takes} ${duration(chosen.stepSeconds)} where one of ${held.batchSize} takes ` +
      `${duration(held.stepSeconds)}, and ${verdict} (${evidence}): ${chosen.batchSize} ${makes} ` +
      `${progressRatio.toFixed(2)} times the progress per second.${turn(lastMove, held, chosen)}`,
    numbers: {
      batchSize: chosen.batchSize,
      heldBatchSize: held.batchSize,
      stepSeconds: chosen.stepSeconds,
      heldStepSeconds: held.stepSeconds,
      noiseScale: noise.noiseScale,
      criticalBatchSize,
      progressRatio,
    },
  };
}

/** What was thought when the batch came here, where it turns back now: else the two reasons would contradict. */
function turn(lastMove: LastMove | null, held: WeighedSize, chosen: WeighedSize): string {
  if (lastMove?.to !== held.batchSize) return '';
  const { from, to, noiseScale, seconds } = lastMove;
  if (Math.sign(to - from) === Math.sign(chosen.batchSize - to)) return '';
  return (
    ` When it went from ${from} to ${to}, the noise scale was taken to be ${about(noiseScale)} examples and a step ` +
    `of ${to} to take ${duration(seconds)}.`
  );
}

/** Why nothing changes though another size may be better. */
export const weakGainReason = (
  { held, chosen, progressRatio, pricedRatio }: SizeAnswer,
  doubt = 'too little to be sure of',
): Reason => ({
  code: 'weak-evidence',
  text:
    `No change: weak evidence. ${chosen.batchSize} may make ${progressRatio.toFixed(2)} times the progress per ` +
    `second of ${held.batchSize}, ${doubt}.`,
  numbers: { batchSize: held.batchSize, targetBatchSize: chosen.batchSize, progressRatio, pricedRatio },
});

/** Why a size that may pay is not tried yet. */
export const restReason = (answer: SizeAnswer): Reason =>
  weakGainReason(answer, 'but sizes were tried too short a time ago');

/** Why nothing changes. */
export const steadyReason = (batchSize: number): Reason => ({
  code: 'steady',
  text: `${batchSize} stays.`,
  numbers: { batchSize },
});

/** Why the batch goes back to where it was, or stays there after a look at its time. */
export const homeReason = (batchSize: number, tried: readonly number[]): Reason => ({
  code: 'explored',
  text: tried.length > 0 ? `${listed(tried)} tried; ${batchSize} stays.` : `${batchSize} stays.`,
  numbers: { batchSize },
});

/** `64 was`, or `64, 256 and 1024 were`. */
const listed = (sizes: readonly number[]): string =>
  sizes.length > 1 ? `${sizes.slice(0, -1).join(', ')} and ${sizes.at(-1)} were` : `${sizes[0]} was`;

/** The first plan of a run that knows of earlier ones. */
export const recordedReason = (
  { batchSize, stepSeconds, predicted }: WeighedSize,
  noiseScale?: number,
): Reason => ({
  code: 'recorded',
  text:
    (predicted
      ? `By the steps of earlier runs one of ${batchSize} should take ${duration(stepSeconds)}`
      : `In earlier runs a step of ${batchSize} took ${duration(stepSeconds)}`) +
    (noiseScale === undefined ? '' : `, and the noise scale was about ${about(noiseScale)} examples`) +
    `: the run starts there.`,
  numbers: { batchSize, stepSeconds, ...(noiseScale !== undefined && { noiseScale }) },
});

/** The first plan of a controller that learns, and why it may not go to a batch twice as large, where it may not (`whyNoLarger`). */
export const startReason = (batchSize: number, noLarger?: string): Reason => ({
  code: 'start',
  text:
    `The run starts with batches of ${batchSize}, to see what a step takes.` +
    (noLarger === undefined ? '' : ` None twice as large will be tried: ${noLarger}.`),
  numbers: { batchSize },
});
