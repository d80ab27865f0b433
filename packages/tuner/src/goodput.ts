import type { AppliedStep, BatchController, BatchPlan, Decision, Reason, RunInfo } from '@batchwise/core';
import { chooseSize, mayPay, pays, type SizeAnswer } from './choose-size.ts';
import {
  goodputReason,
  homeReason,
  recordedReason,
  restReason,
  startReason,
  steadyReason,
  weakGainReason,
  type LastMove,
} from './explain.ts';
import { exploredSize, exploringReason, isCutShort, triedSizes, type Exploration } from './exploration.ts';
import { bestBatchSize } from './goodput-maths.ts';
import { goodputSettings, lawOf, type GoodputOptions, type GoodputSettings } from './goodput-options.ts';
import { ladder } from './ladder.ts';
import type { NoiseBelief } from './noise-belief.ts';
import {
  measureNext,
  noiseBelief,
  startNoiseWatch,
  unmeasuredLater,
  unmeasuredSteps,
  watchNoise,
  withCadence,
  type NoiseWatch,
} from './noise-watch.ts';
import { PLAIN, WITH_GRADIENT, wholeBatch } from './plan.ts';
import { priorTimes } from './prior.ts';
import { giveUp } from './recovery.ts';
import { sizeRange, whyNoLarger, type SizeRange } from './size-range.ts';
import { fitStepTime, timedRungs, type StepTimes } from './step-time.ts';
import {
  afterMove,
  hasLooked,
  isResting,
  recalledTiming,
  startTiming,
  timeStep,
  timeSteps,
  tryBeforeMove,
  unwatchedSteps,
  type Timing,
} from './timing.ts';

/** Smallest batch where no `minBatchSize` is given, examples. */
const USUAL_MIN = 8;

/** All that `goodput` remembers. Survives JSON. */
export type GoodputState = {
  readonly range: SizeRange;
  readonly plannedExamples: number | null;
  /** Ordinary steps. */
  readonly timing: Timing;
  readonly watch: NoiseWatch;
  readonly lastMove: LastMove | null;
};

/**
 * Picks the batch size that makes the most progress per second, B / (T(B) (B^q + φc^q)^(p/q)), among powers of two (after Pollux,
 * Qiao et al., OSDI 2021; see `goodputOf` for p and q, `bestBatchSize` for the optimum). The first steps try a few sizes to learn the step
 * time T; some later ones are split in two to measure the gradient noise scale φ, with φc = c φ; then it decides after
 * twenty steps, every ten, and more rarely the longer no size was tried. A size that seems to pay, at the start too, runs for a few steps
 * beside the one held before the run moves there. Nothing is repeated or thrown away: all of these are training steps.
 *
 * It moves at most by a factor of two and never above what `SizeOptions` allow, but does not damp itself where the noise is
 * uncertain: wrap it in `withHysteresis`. Where memory may end, wrap it in `withCeiling`; couple the learning rate with `withLearningRate`.
 * @throws RangeError where an option is out of its range
 */
export function goodput(options: GoodputOptions = {}): BatchController<GoodputState> {
  const settings = goodputSettings(options);
  return {
    name: 'goodput',
    measures: WITH_GRADIENT,
    start: (run) => startGoodput(run, settings),
    next(step, before) {
      const state = observed(before, step, settings);
      if (state.timing.exploration) return tryOut(state.timing.exploration, state, settings);
      const { exploration: explored } = before.timing;
      // It tried to try a size, and may not.
      if (explored?.before && isCutShort(explored, step)) return stay(step, state, settings);
      const due = explored !== null || hasLooked(before.timing, state.timing);
      if (!due) return stay(step, state, settings);
      const watch = withCadence(state.watch, cadenceView(step.plan, state), settings.noise);
      const decided = { ...state, watch };
      const held = explored ? explored.home : step.plan.batchSize;
      return decide({ held, step, state: decided, settings, explored });
    },
    observe: (steps, state) => ({
      ...state,
      timing: timeSteps(state.timing, steps, settings.exploration),
      watch: unmeasuredLater(state.watch, steps.length),
    }),
    recover: giveUp,
  };
}

function startGoodput(run: RunInfo, settings: GoodputSettings): Decision<GoodputState> {
  const range = sizeRange(settings.sizes, run, USUAL_MIN);
  const watch = startNoiseWatch(run.datasetSize, settings.noise);
  const noise = noiseBelief(watch, settings.noise);
  const recalled = priorTimes(settings.prior);
  const best =
    recalled && chooseSize(question({ held: range.start, range, times: recalled, noise, settings }));
  const { chosen } = best ?? {};
  const batchSize = chosen?.batchSize ?? range.start;
  return {
    plan: wholeBatch(batchSize),
    reason: chosen
      ? recordedReason(chosen, settings.prior?.noiseScale)
      : startReason(batchSize, whyNoLarger(settings.sizes, run)),
    measure: PLAIN,
    firm: true,
    evidence: evidenceOf(noise, settings),
    state: {
      range,
      plannedExamples: run.plannedExamples ?? null,
      timing: recalled
        ? recalledTiming(recalled, { home: batchSize, run }, settings.exploration)
        : startTiming(range, run, settings.exploration),
      watch,
      lastMove: null,
    },
  };
}

/** What the step taught. Field by field, as all that is done at each step: copying by `...` takes several times as long. */
const observed = (state: GoodputState, step: AppliedStep, settings: GoodputSettings): GoodputState => ({
  range: state.range,
  plannedExamples: state.plannedExamples,
  timing: timeStep(state.timing, { step, options: settings.exploration, best: bestSoFar(state, settings) }),
  watch: watchNoise(state.watch, step, settings.noise),
  lastMove: state.lastMove,
});

/** For the step times known and the noise believed; asked while sizes are tried. */
const bestSoFar =
  ({ watch }: GoodputState, settings: GoodputSettings) =>
  (times: StepTimes): number => {
    const fit = timedRungs(times).length > 1 ? fitStepTime(times) : undefined;
    return fit ? bestBatchSize({ ...fit, ...lawOf(noiseBelief(watch, settings.noise), settings) }) : Infinity;
  };

const cadenceView = (plan: BatchPlan, { plannedExamples, timing: { times } }: GoodputState) => ({
  plan,
  plannedExamples,
  times,
});

/** ln B goes with q/(q + 1) of ln φ at the most (`bestBatchSize`). */
const evidenceOf = (
  { noiseScale, relativeError }: NoiseBelief,
  { examplesSharpness: q }: GoodputSettings,
) => ({ noiseScale, logBatchSizeError: (relativeError * q) / (q + 1) });

const tryOut = (
  exploration: Exploration,
  state: GoodputState,
  settings: GoodputSettings,
): Decision<GoodputState> => ({
  plan: wholeBatch(exploredSize(exploration)),
  reason: exploringReason(exploration),
  measure: PLAIN,
  state,
  firm: true,
  evidence: evidenceOf(noiseBelief(state.watch, settings.noise), settings),
  standsFor: unwatchedSteps(state.timing, settings.exploration),
});

function stay({ plan }: AppliedStep, state: GoodputState, settings: GoodputSettings): Decision<GoodputState> {
  const { watch, measured } = measureNext(state.watch, cadenceView(plan, state), settings.noise);
  return {
    plan: wholeBatch(plan.batchSize),
    reason: steadyReason(plan.batchSize),
    measure: measured ? WITH_GRADIENT : PLAIN,
    evidence: evidenceOf(noiseBelief(watch, settings.noise), settings),
    state: watch === state.watch ? state : { ...state, watch },
    standsFor: measured
      ? 0
      : Math.min(unmeasuredSteps(watch), unwatchedSteps(state.timing, settings.exploration)),
  };
}

interface Moment {
  readonly held: number;
  readonly step: AppliedStep;
  readonly state: GoodputState;
  readonly settings: GoodputSettings;
  /** The exploration that the step in hand ended. */
  readonly explored: Exploration | null;
}

/** The move that pays, if there is one; else why not. */
function decide(moment: Moment): Decision<GoodputState> {
  const { held, step, state, settings, explored } = moment;
  const planned = state.plannedExamples ?? Infinity;
  const noise = noiseBelief(state.watch, settings.noise);
  const settled = step.totalExamples >= (1 - settings.settledShare) * planned;
  const { range, timing } = state;
  const { times } = timing;
  // Having seen at the start how step time grows, it may go to the best size at once.
  const isFree = explored?.isFree ?? false;
  const reach = isFree && timedRungs(times).length > 1 ? Infinity : settings.maxMove;
  // Tried for a move, one size says nothing of the rest; from those further away follows what is between.
  const isNear = (size: number): boolean => size >= held / reach && size <= held * reach;
  const among = explored?.sizes.every(isNear) && !isFree ? explored.sizes : undefined;
  const remainingExamples = planned - step.totalExamples;
  const answer = settled
    ? undefined
    : chooseSize(question({ held, range, times, noise, settings, reach, among, remainingExamples }));
  const firm = explored !== null && { firm: true };
  const trial = answer && trialOf(answer, moment, noise);
  if (trial) return trial;
  if (answer && pays(answer, settings.leastGain)) {
    const { batchSize: to, stepSeconds: seconds } = answer.chosen;
    return {
      plan: wholeBatch(to),
      reason: goodputReason(answer, noise, { ...lawOf(noise, settings), lastMove: state.lastMove }),
      measure: PLAIN,
      evidence: evidenceOf(noise, settings),
      state: {
        ...state,
        timing: afterMove(timing, settings.exploration),
        lastMove: { from: held, to, noiseScale: noise.noiseScale, seconds },
      },
      ...firm,
    };
  }
  if (!explored) {
    const decision = stay(step, state, settings);
    const isOther = answer && answer.chosen.batchSize !== held;
    return isOther ? unsure(decision, weakGainReason(answer)) : decision;
  }
  return {
    plan: wholeBatch(held),
    reason: homeReason(held, triedSizes(explored, step)),
    measure: PLAIN,
    evidence: evidenceOf(noise, settings),
    state,
    ...firm,
  };
}

/** Said of one step: the next one is steady again. */
const unsure = (decision: Decision<GoodputState>, reason: Reason) => ({ ...decision, reason, standsFor: 0 });

/**
 * What is known of the other size's time is old, of a program that was not warm yet, or follows from that of others: it is tried first,
 * unless it just was or nothing is left for that. Undefined for a move at once, for none, and for one that the noise scale is too uncertain
 * for (`withHysteresis`).
 */
function trialOf(
  answer: SizeAnswer,
  { held, step, state, settings, explored }: Moment,
  noise: NoiseBelief,
): Decision<GoodputState> | undefined {
  if (explored?.before || !mayPay(answer, settings.leastGain)) return undefined;
  const isFirst = explored !== null;
  const target = answer.chosen.batchSize;
  const isWeak =
    !isFirst && Math.abs(Math.log(target / held)) <= evidenceOf(noise, settings).logBatchSizeError;
  if (isWeak) return undefined;
  if (!isFirst && isResting(state.timing, held))
    return unsure(stay(step, state, settings), restReason(answer));
  const isFree = isFirst && timedRungs(state.timing.times).length > 1;
  const move = { held, target, isFree, totalExamples: step.totalExamples };
  const timing = tryBeforeMove(state.timing, move, settings.exploration);
  return timing?.exploration ? tryOut(timing.exploration, { ...state, timing }, settings) : undefined;
}

/** The sizes in reach, and what is known of them; all are in reach before the first step. */
function question(view: {
  readonly held: number;
  readonly range: SizeRange;
  readonly times: StepTimes;
  readonly noise: NoiseBelief;
  readonly settings: GoodputSettings;
  readonly reach?: number;
  /** Those just tried; undefined for all. */
  readonly among?: readonly number[] | undefined;
  readonly remainingExamples?: number;
}) {
  const { held, range, times, noise, settings, reach = Infinity, among, remainingExamples = Infinity } = view;
  // A gradient that drowns in noise may have any noise scale above: no reason for a smaller batch.
  const least = noise.unresolved ? held : held / reach;
  return {
    held,
    candidates: ladder(range).filter(
      (rung) => rung >= least && rung <= held * reach && (among === undefined || among.includes(rung)),
    ),
    times,
    ...lawOf(noise, settings),
    remainingExamples,
  };
}
