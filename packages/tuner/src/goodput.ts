import type { AppliedStep, BatchController, BatchPlan, Decision, GradientMoments } from '@batchwise/core';
import { addSample, type NoiseScaleState } from '@batchwise/noise-scale';
import { chooseSize, type SizeAnswer } from './choose-size.ts';
import { goodputReason, homeReason, startReason, steadyReason } from './explain.ts';
import { exploredSize, exploringReason, isFirstExploration, type Exploration } from './exploration.ts';
import { goodputSettings, type GoodputOptions, type GoodputSettings } from './goodput-options.ts';
import { ladder } from './ladder.ts';
import { measureEvery } from './measuring.ts';
import { believedNoiseScale, type NoiseBelief } from './noise-belief.ts';
import { PLAIN, WITH_GRADIENT, wholeBatch } from './plan.ts';
import { giveUp } from './recovery.ts';
import { sizeRange, type SizeRange } from './size-range.ts';
import { addStepTime, isTimed, partsOf, timedRungs, type StepTimes } from './step-time.ts';
import { startTiming, timeStep, type Timing } from './timing.ts';

/** Smallest batch where no `minBatchSize` is given, examples. */
const USUAL_MIN = 8;
/** Largest noise scale believed for a stream, examples; with a dataset it is the size of the dataset. */
const STREAM_NOISE_SCALE = 1e6;

/** All that `goodput` remembers. Survives JSON. */
export type GoodputState = {
  readonly range: SizeRange;
  readonly maxNoiseScale: number;
  readonly plannedExamples: number | null;
  /** Ordinary steps. */
  readonly timing: Timing;
  /** Steps that were split to be measured. */
  readonly splitTimes: StepTimes;
  readonly noise: NoiseScaleState | null;
  /** Measured steps asked for, the steps since the latest of them, and how many there should be. */
  readonly measurements: number;
  readonly stepsSinceMeasured: number;
  readonly measureEvery: number;
  readonly stepsSinceDecision: number;
};

/**
 * Picks the batch size that makes the most progress per second, B / (T(B) (B + φc)), among powers of two (Pollux, Qiao
 * et al., OSDI 2021; the optimum is √((α/β) φc), see `bestBatchSize`). The first steps try a few sizes to learn the step
 * time T; some later ones are split in two to measure the gradient noise scale φ, with φc = c φ; then it decides every
 * ten steps. Nothing is repeated or thrown away: all of these are training steps.
 *
 * It moves at most by a factor of two and never above what `SizeOptions` allow, but does not damp itself: wrap it in
 * `withHysteresis`. Where memory may end, wrap it in `withCeiling`; couple the learning rate with `withLearningRate`.
 * @throws RangeError where an option is out of its range
 */
export function goodput(options: GoodputOptions = {}): BatchController<GoodputState> {
  const settings = goodputSettings(options);
  return {
    name: 'goodput',
    measures: WITH_GRADIENT,
    start(run) {
      const range = sizeRange(options, run, USUAL_MIN);
      return {
        plan: wholeBatch(range.start),
        reason: startReason(range.start),
        measure: PLAIN,
        firm: true,
        state: {
          range,
          maxNoiseScale: run.datasetSize ?? STREAM_NOISE_SCALE,
          plannedExamples: run.plannedExamples ?? null,
          timing: startTiming(range, run, settings.exploration),
          splitTimes: [],
          noise: null,
          measurements: 0,
          stepsSinceMeasured: 0,
          measureEvery: settings.bootEverySteps,
          stepsSinceDecision: 0,
        },
      };
    },
    next(step, before) {
      const state = observed(before, step, settings);
      if (state.timing.exploration) return tryOut(state.timing.exploration, state);
      const { exploration: explored } = before.timing;
      const due = explored !== null || state.stepsSinceDecision >= settings.decideEverySteps;
      if (!due) return stay(step, state, settings);
      const decided = withCadence({ ...state, stepsSinceDecision: 0 }, step.plan, settings);
      const held = explored ? explored.home : step.plan.batchSize;
      const moved = move({ held, totalExamples: step.totalExamples, state: decided, settings, explored });
      return moved ?? (explored ? goHome(held, decided) : stay(step, decided, settings));
    },
    recover: giveUp,
  };
}

/** What the step taught. */
function observed(state: GoodputState, step: AppliedStep, settings: GoodputSettings): GoodputState {
  const { gradient, plan, seconds, warm } = step;
  const isSplit = gradient !== undefined && warm && isTimed(step);
  const time = { batchSize: plan.batchSize, parts: partsOf(plan), seconds: seconds ?? 0 };
  return {
    ...state,
    timing: timeStep(state.timing, step, settings.exploration),
    splitTimes: isSplit ? addStepTime(state.splitTimes, time) : state.splitTimes,
    noise: gradient ? withSample(state, gradient, settings) : state.noise,
    stepsSinceMeasured: state.stepsSinceMeasured + 1,
    stepsSinceDecision: state.stepsSinceDecision + 1,
  };
}

function withSample(
  state: GoodputState,
  moments: GradientMoments,
  settings: GoodputSettings,
): NoiseScaleState | null {
  const examples = moments.sizes.reduce((sum, size) => sum + size, 0);
  const horizonExamples = settings.horizon * Math.max(beliefOf(state, settings).noiseScale, examples);
  return addSample(state.noise ?? undefined, moments, { horizonExamples });
}

const beliefOf = ({ noise, maxNoiseScale }: GoodputState, settings: GoodputSettings): NoiseBelief =>
  believedNoiseScale(noise, { ...settings, maxNoiseScale });

const tryOut = (exploration: Exploration, state: GoodputState): Decision<GoodputState> => ({
  plan: wholeBatch(exploredSize(exploration)),
  reason: exploringReason(exploration),
  measure: PLAIN,
  state,
  firm: true,
});

const goHome = (batchSize: number, state: GoodputState): Decision<GoodputState> => ({
  plan: wholeBatch(batchSize),
  reason: homeReason(batchSize),
  measure: PLAIN,
  state,
  firm: true,
});

/** Settles how often to measure: with each decision and each measured step. */
function withCadence(state: GoodputState, plan: BatchPlan, settings: GoodputSettings): GoodputState {
  const view = { ...state, plan, plainTimes: state.timing.times };
  return { ...state, measureEvery: measureEvery(view, settings) };
}

function stay({ plan }: AppliedStep, state: GoodputState, settings: GoodputSettings): Decision<GoodputState> {
  // A single example cannot be split.
  const measured = plan.batchSize > 1 && state.stepsSinceMeasured >= state.measureEvery;
  const asked = { ...state, measurements: state.measurements + 1, stepsSinceMeasured: 0 };
  return {
    plan: wholeBatch(plan.batchSize),
    reason: steadyReason(plan.batchSize),
    measure: measured ? WITH_GRADIENT : PLAIN,
    state: measured ? withCadence(asked, plan, settings) : state,
  };
}

interface Moment {
  readonly held: number;
  readonly totalExamples: number;
  readonly state: GoodputState;
  readonly settings: GoodputSettings;
  /** The exploration that the step in hand ended. */
  readonly explored: Exploration | null;
}

/** The move that pays, if there is one. */
function move({
  held,
  totalExamples,
  state,
  settings,
  explored,
}: Moment): Decision<GoodputState> | undefined {
  const planned = state.plannedExamples ?? Infinity;
  if (totalExamples >= (1 - settings.settledShare) * planned) return undefined;
  const { times } = state.timing;
  const noise = beliefOf(state, settings);
  const criticalBatchSize = settings.criticalBatchFactor * noise.noiseScale;
  // Having seen at the start how step time grows, it may go to the best size at once.
  const free = explored !== null && isFirstExploration(explored) && timedRungs(times).length > 1;
  const reach = free ? Infinity : settings.maxMove;
  // A gradient that drowns in noise may have any noise scale above: no reason for a smaller batch.
  const least = noise.unresolved ? held : held / reach;
  const answer = chooseSize({
    held,
    candidates: ladder(state.range).filter((rung) => rung >= least && rung <= held * reach),
    times,
    criticalBatchSize,
    remainingExamples: planned - totalExamples,
  });
  if (!answer || !pays(answer, settings)) return undefined;
  return {
    plan: wholeBatch(answer.chosen.batchSize),
    reason: goodputReason(answer, noise, criticalBatchSize),
    measure: PLAIN,
    state,
    ...(explored && { firm: true }),
  };
}

const pays = (
  { held, chosen, pricedRatio, ratioError }: SizeAnswer,
  { leastGain }: GoodputSettings,
): boolean => chosen.batchSize !== held.batchSize && pricedRatio > 1 + Math.max(leastGain, ratioError);
