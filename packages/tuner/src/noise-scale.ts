import type { BatchController } from '@batchwise/core';
import { checkAbove, checkCount } from './check.ts';
import { about, startReason, steadyReason } from './explain.ts';
import { ladder, nearestRung } from './ladder.ts';
import type { NoiseBelief } from './noise-belief.ts';
import {
  measureNext,
  noiseBelief,
  noiseOptions,
  startNoiseWatch,
  unmeasuredSteps,
  watchNoise,
  withCadence,
  type NoiseOptions,
  type NoiseWatch,
} from './noise-watch.ts';
import { PLAIN, WITH_GRADIENT, wholeBatch } from './plan.ts';
import type { TuningPrior } from './prior.ts';
import { giveUp } from './recovery.ts';
import { checkSizes, sizeRange, whyNoLarger, type SizeOptions, type SizeRange } from './size-range.ts';
import { observeStep, type StepTimes } from './step-time.ts';

/** Smallest batch where no `minBatchSize` is given, examples. */
const USUAL_MIN = 8;

/** Numbers of the noise-scale rule. */
export interface NoiseScalePolicyOptions extends SizeOptions, Partial<NoiseOptions> {
  /** k: the batch over the noise scale. Default 1, where a step and an example are each half wasted. */
  readonly multiple?: number | undefined;
  /** Steps between decisions. Default 10. */
  readonly decideEverySteps?: number | undefined;
  /** Largest factor of a move, up or down. Default 2. */
  readonly maxMove?: number | undefined;
  /** What earlier runs found; its noise scale is believed until this run has measured. */
  readonly prior?: TuningPrior | undefined;
}

/** All that `noiseScale` remembers. Survives JSON. */
export type NoiseScalePolicyState = {
  readonly range: SizeRange;
  readonly plannedExamples: number | null;
  /** Of the sizes that ran: they say how often measuring is affordable, not what to run. */
  readonly times: StepTimes;
  readonly watch: NoiseWatch;
  readonly stepsSinceDecision: number;
};

/**
 * Runs k times the gradient noise scale, B = k B_simple (McCandlish et al. 2018, arXiv 1812.06162, section 2.2), on the
 * nearest power of two, by factors of two at most. It knows nothing of time: where steps cost little it wastes examples,
 * and where they cost much it wastes steps. The noise scale of a run grows with B/η, so at a learning rate that stays as it
 * is this rule chases its own tail up to `maxBatchSize`: couple the rate with `withLearningRate`, and damp it with
 * `withHysteresis`.
 * @throws RangeError where an option is out of its range
 */
export function noiseScale(options: NoiseScalePolicyOptions = {}): BatchController<NoiseScalePolicyState> {
  const { multiple = 1, decideEverySteps = 10, maxMove = 2, prior } = options;
  checkSizes(options);
  checkAbove(multiple, 'multiple');
  checkAbove(maxMove, 'maxMove', 1);
  checkCount(decideEverySteps, 'decideEverySteps');
  const noise = noiseOptions({ ...options, priorNoiseScale: options.priorNoiseScale ?? prior?.noiseScale });
  const { noiseScale: recorded } = prior ?? {};

  return {
    name: 'noiseScale',
    measures: WITH_GRADIENT,
    start(run) {
      const range = sizeRange(options, run, USUAL_MIN);
      const watch = startNoiseWatch(run.datasetSize, noise);
      const plannedExamples = run.plannedExamples ?? null;
      const belief = noiseBelief(watch, noise);
      const follow = (size: number) => ({ size, reason: followReason(size, belief, multiple) });
      const { size, reason } =
        recorded === undefined
          ? { size: range.start, reason: startReason(range.start, whyNoLarger(options, run)) }
          : follow(nearestRung(ladder(range), multiple * belief.noiseScale));
      const state = { range, plannedExamples, times: [], watch, stepsSinceDecision: 0 };
      const evidence = evidenceOf(belief);
      return { plan: wholeBatch(size), reason, measure: PLAIN, evidence, state, firm: true };
    },
    next(step, before) {
      const { plan } = step;
      const { range, plannedExamples } = before;
      const times = observeStep(before.times, step);
      const view = { plan, plannedExamples, times };
      const seen = watchNoise(before.watch, step, noise);
      const belief = noiseBelief(seen, noise);
      const due = before.stepsSinceDecision + 1 >= decideEverySteps;
      const watch = due ? withCadence(seen, view, noise) : seen;
      const state = { ...before, times, watch, stepsSinceDecision: due ? 0 : before.stepsSinceDecision + 1 };
      const held = plan.batchSize;
      const evidence = evidenceOf(belief, moveShare(held, multiple * belief.noiseScale, maxMove));
      const target = due && belief.measured ? targetOf(held, belief, { range, multiple, maxMove }) : held;
      if (target !== held) {
        const reason = followReason(target, belief, multiple);
        return { plan: wholeBatch(target), reason, measure: PLAIN, evidence, state };
      }
      const next = measureNext(watch, view, noise);
      return {
        plan: wholeBatch(held),
        reason: steadyReason(held),
        measure: next.measured ? WITH_GRADIENT : PLAIN,
        evidence,
        state: { ...state, watch: next.watch },
        standsFor: next.measured
          ? 0
          : Math.min(decideEverySteps - 1 - state.stepsSinceDecision, unmeasuredSteps(next.watch)),
      };
    },
    recover: giveUp,
  };
}

/** The rung nearest to k φ within reach. */
function targetOf(
  held: number,
  { noiseScale: phi, unresolved }: NoiseBelief,
  {
    range,
    multiple,
    maxMove,
  }: { readonly range: SizeRange; readonly multiple: number; readonly maxMove: number },
): number {
  // A gradient that drowns in noise may have any noise scale above: no reason for a smaller batch.
  const least = unresolved ? held : held / maxMove;
  const rungs = ladder(range).filter((rung) => rung >= least && rung <= held * maxMove);
  return rungs.length > 0 ? nearestRung(rungs, multiple * phi) : held;
}

/** ln B goes with ln φ. A move of a share of the way is as certain as the way. */
const evidenceOf = ({ noiseScale: phi, relativeError }: NoiseBelief, share = 1) => ({
  noiseScale: phi,
  logBatchSizeError: relativeError * share,
});

/** What a move by `maxMove` is of the way from the batch held to the one wanted, in logarithms; at most 1. */
const moveShare = (held: number, wanted: number, maxMove: number): number =>
  Math.min(1, Math.log(maxMove) / Math.abs(Math.log(wanted / held)));

function followReason(batchSize: number, { noiseScale: phi, measured }: NoiseBelief, multiple: number) {
  const known = measured ? 'is about' : 'was, in earlier runs, about';
  const times = multiple === 1 ? '' : `${about(multiple)} times `;
  return {
    code: measured ? 'noise-scale' : 'recorded',
    text: `The noise scale ${known} ${about(phi)} examples; ${batchSize} is the size nearest to ${times}that within reach.`,
    numbers: { batchSize, noiseScale: phi, multiple },
  };
}
