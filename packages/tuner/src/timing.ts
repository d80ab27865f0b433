import type { AppliedStep, RunInfo } from '@batchwise/core';
import { lookEvery } from './cadence.ts';
import {
  explore,
  firstExploration,
  hasImproved,
  beginsAtHome,
  laterExploration,
  sizesToTry,
  triedExamples,
  triedSizes,
  unsettledSteps,
  type Exploration,
  type ExplorationOptions,
  type ExplorationView,
} from './exploration.ts';
import type { SizeRange } from './size-range.ts';
import {
  forgetOthers,
  hasRun,
  isTimed,
  medianSeconds,
  observeStep,
  observeSteps,
  quartiles,
  stepSeconds,
  timedRungs,
  timedSteps,
  type StepTimes,
} from './step-time.ts';

/** The least timed steps to look at. */
const ENOUGH = 5;

/** After the start a size has so many steps to itself before another is tried; twice as many after each trial that led nowhere. */
const REST_STEPS = 20;
const MOST_REST_STEPS = 1000;

/** What is known of step times, and how it is kept true. Survives JSON. */
export type Timing = {
  readonly times: StepTimes;
  /** Times of earlier runs, until this run has timed the size that it starts with; null where there are none. */
  readonly recalled: StepTimes | null;
  /** The sizes being tried; null while the run goes its way. */
  readonly exploration: Exploration | null;
  /** Examples spent on trying sizes, and those of the whole run (or an epoch, or null where neither is known). */
  readonly triedExamples: number;
  readonly plannedExamples: number | null;
  /** Steps since sizes were last tried, and how many there must be before they are tried again. */
  readonly steps: number;
  readonly waitSteps: number;
  /** Steps after a trial until the next one at the same size held; null before the first. */
  readonly rest: { readonly held: number; readonly steps: number } | null;
  /** Sizes beyond the first that are to be tried once more, since the first of them looked no better; null for none. */
  readonly again: readonly number[] | null;
  /** The step count at which it is next looked whether they must be, and that of the latest move to another size. */
  readonly lookAt: number;
  readonly movedAt: number;
  /** What a step of the size held was expected to take when it was settled on. */
  readonly usual: { readonly batchSize: number; readonly seconds: number } | null;
};

/** Begins with an exploration at the size that the run starts with. */
export const startTiming = (range: SizeRange, run: RunInfo, options: ExplorationOptions): Timing =>
  begun((budget) => sizesToTry(range, budget, options), { home: range.start, run, recalled: null }, options);

/** Begins with the times of earlier runs: only the size that it starts with is timed, to compare. */
export const recalledTiming = (
  recalled: StepTimes,
  { home, run }: { readonly home: number; readonly run: RunInfo },
  options: ExplorationOptions,
): Timing => begun(() => [home], { home, run, recalled }, options);

function begun(
  sizesWithin: (budgetExamples: number) => readonly number[],
  { home, run, recalled }: { readonly home: number; readonly run: RunInfo } & Pick<Timing, 'recalled'>,
  options: ExplorationOptions,
): Timing {
  const planned = run.plannedExamples ?? run.datasetSize ?? null;
  const untilExamples = planned === null ? null : options.shareOfRun * planned;
  const sizes = sizesWithin(untilExamples ?? Infinity);
  return {
    times: [],
    recalled,
    exploration: firstExploration(sizes, { home, untilExamples }, options),
    triedExamples: 0,
    plannedExamples: planned,
    steps: 0,
    waitSteps: options.retimeAfterSteps,
    rest: null,
    again: null,
    lookAt: options.lookEverySteps,
    movedAt: 0,
    usual: null,
  };
}

/** One applied step later; `exploration` becomes null with the step that ends it. `best` is for the one at the start. */
export function timeStep(timing: Timing, { step, options, best }: ExplorationView): Timing {
  const { exploration, times } = timing;
  if (exploration) {
    const view = { step, options, best: beginsAtHome(exploration) ? best : undefined };
    const found = explore(exploration, times, view);
    const explored = { ...timing, ...found, ...lookSoon(0, options), steps: 0, usual: null };
    if (explored.exploration) return explored;
    const ran = triedExamples(triedSizes(exploration, step), options);
    const counted = { ...explored, triedExamples: timing.triedExamples + ran };
    const isStart = exploration.before === null;
    return isStart ? started(withRecalled(counted, exploration.home), exploration, options) : counted;
  }
  const usual = expectation(timing, step.plan.batchSize);
  const seen = later(timing, { times: observeStep(times, step), steps: timing.steps + 1, usual });
  if (seen.steps < seen.lookAt) return seen;
  const lookAt = seen.steps + lookEvery(seen.steps - seen.movedAt, options.lookEverySteps);
  return watched({ ...seen, lookAt }, step, options);
}

/** Where the first size beyond looked no better, it may have been a pause, or the program was not warm. */
function started(timing: Timing, { sizes, index }: Exploration, options: ExplorationOptions): Timing {
  const looksWorse = index === 1 && !hasImproved(timing.times, { sizes, index }, options);
  return { ...timing, again: looksWorse ? sizes.slice(1) : null };
}

/** Ordinary steps of one plan later, fewer than pass before the next look (`unwatchedSteps`) or the next size to be tried. */
export function timeSteps(
  timing: Timing,
  steps: readonly AppliedStep[],
  options: ExplorationOptions,
): Timing {
  const { times, exploration } = timing;
  if (exploration) return steps.reduce((before, step) => timeStep(before, { step, options }), timing);
  const [first] = steps;
  if (!first) return timing;
  const { plan } = first;
  // The first of them that was timed may be the first of all: what the size is expected to take is known with the next.
  const timed = steps.slice(0, -1).find(isTimed);
  const usual =
    expectation(timing, plan.batchSize) ??
    (timed ? expectation({ usual: null, times: observeStep(times, timed) }, plan.batchSize) : null);
  return later(timing, {
    times: observeSteps(times, plan, steps),
    steps: timing.steps + steps.length,
    usual,
  });
}

const later = (
  { recalled, triedExamples: tried, plannedExamples, waitSteps, rest, again, lookAt, movedAt }: Timing,
  { times, steps, usual }: Pick<Timing, 'times' | 'steps' | 'usual'>,
): Timing => ({
  times,
  recalled,
  exploration: null,
  triedExamples: tried,
  plannedExamples,
  steps,
  waitSteps,
  rest,
  again,
  lookAt,
  movedAt,
  usual,
});

/** What was settled for a size says little of the next one: it is looked at soon, and then more and more rarely. */
export const afterMove = (timing: Timing, options: ExplorationOptions): Timing => ({
  ...timing,
  ...lookSoon(timing.steps, options),
});

const lookSoon = (
  steps: number,
  { lookEverySteps }: ExplorationOptions,
): Pick<Timing, 'lookAt' | 'movedAt'> => ({ lookAt: steps + lookEverySteps, movedAt: steps });

const restOf = ({ rest }: Timing, held: number): number => (rest?.held === held ? rest.steps : REST_STEPS);

/** True where sizes were tried too short a time ago to try another. */
export const isResting = (timing: Timing, held: number): boolean => timing.steps < restOf(timing, held);

/**
 * Begins to try a size that the run may move to: what is known of its time is old, or follows from other sizes, and the
 * program and the machine may be faster or slower by now. Undefined where the examples for trying sizes are used up.
 */
export function tryBeforeMove(
  timing: Timing,
  {
    held,
    target,
    isFree,
    totalExamples,
  }: {
    readonly held: number;
    readonly target: number;
    readonly isFree: boolean;
    readonly totalExamples: number;
  },
  options: ExplorationOptions,
): Timing | undefined {
  if (triedExamples([target], options) > budgetLeft(timing, totalExamples, options)) return undefined;
  return {
    ...timing,
    ...laterExploration(timing.times, { home: held, isFree, sizes: [target, held] }),
    rest: { held, steps: Math.min(2 * restOf(timing, held), MOST_REST_STEPS) },
  };
}

/** Examples that may still be spent on trying sizes. */
const budgetLeft = (
  { plannedExamples, triedExamples: spent }: Timing,
  totalExamples: number,
  { shareOfRun }: ExplorationOptions,
): number => (shareOfRun > 0 ? shareOfRun * Math.max(plannedExamples ?? Infinity, totalExamples) : 0) - spent;

/** Whether it was looked at the step times with the step from one to the other. */
export const hasLooked = (before: Timing, after: Timing): boolean => after.lookAt !== before.lookAt;

/** So many further steps pass before it is looked whether sizes must be timed again, or while one is tried, what comes next. */
export const unwatchedSteps = (
  { steps, lookAt, exploration }: Pick<Timing, 'steps' | 'lookAt' | 'exploration'>,
  options: ExplorationOptions,
): number => (exploration ? unsettledSteps(exploration, options) : Math.max(0, lookAt - 1 - steps));

/** A machine may be slower or busier than it was: all times of earlier runs are scaled as that of the home size. */
function withRecalled(timing: Timing, home: number): Timing {
  const { times, recalled } = timing;
  if (recalled === null) return timing;
  const [now, then] = [stepSeconds(times, home), stepSeconds(recalled, home)];
  if (now === undefined || then === undefined) return { ...timing, times: recalled, recalled: null };
  const others = recalled.filter(({ batchSize }) => !hasRun(times, batchSize));
  const scaled = others.map((rung) => ({
    ...rung,
    seconds: rung.seconds.map((seconds) => (seconds * now) / then),
  }));
  const all = [...times, ...scaled].sort((a, b) => a.batchSize - b.batchSize);
  return { ...timing, times: all, recalled: null };
}

/** With the first step of a size, what it is expected to take. */
function expectation({ usual, times }: Pick<Timing, 'usual' | 'times'>, batchSize: number): Timing['usual'] {
  if (usual?.batchSize === batchSize) return usual;
  const seconds = medianSeconds(times, batchSize) ?? stepSeconds(times, batchSize);
  return seconds === undefined ? null : { batchSize, seconds };
}

/**
 * Times of sizes that no longer run grow old: compilers warm up, clocks throttle, other programs come and go. Where the
 * size held takes another time than expected, all others are forgotten and its neighbours that ran before are tried again.
 */
function watched(timing: Timing, step: AppliedStep, options: ExplorationOptions): Timing {
  const { times, usual, steps, waitSteps } = timing;
  const held = step.plan.batchSize;
  if (timing.again)
    return steps < REST_STEPS
      ? timing
      : startedAgain({ ...timing, again: null }, timing.again, { step, options });
  const recent = quartiles(times, held);
  if (usual === null || recent === undefined || timedSteps(times, held) < ENOUGH) return timing;
  // Three quarters of the steps must agree, so that mere noise is no drift.
  const faster = recent.upper * options.driftRatio < usual.seconds;
  const slower = recent.lower > usual.seconds * options.driftRatio;
  if (!(faster || slower) || steps < waitSteps) return timing;
  const known = timedRungs(times).map(({ batchSize }) => batchSize);
  const sizes = [known.findLast((size) => size < held), known.find((size) => size > held)].filter(
    (size) => size !== undefined,
  );
  const isTooMuch = triedExamples(sizes, options) > budgetLeft(timing, step.totalExamples, options);
  if (sizes.length === 0 || isTooMuch) return timing;
  return {
    ...timing,
    ...laterExploration(forgetOthers(times, held), { home: held, isFree: false, sizes: [...sizes, held] }),
    waitSteps: 2 * waitSteps,
  };
}

/** The exploration at the start once more, as far as the examples for trying sizes reach. */
function startedAgain(
  timing: Timing,
  again: readonly number[],
  { step, options }: Pick<ExplorationView, 'step' | 'options'>,
): Timing {
  const held = step.plan.batchSize;
  const left = budgetLeft(timing, step.totalExamples, options);
  const larger = again.filter((size) => size > held);
  const sizes = larger.filter((_, i) => triedExamples(larger.slice(0, i + 1), options) <= left);
  if (sizes.length === 0) return timing;
  return {
    ...timing,
    ...laterExploration(timing.times, { home: held, isFree: true, sizes: [held, ...sizes] }),
  };
}
