import type { AppliedStep, Reason } from '@batchwise/core';
import { checkAbove, checkCount, checkShare } from './check.ts';
import { startReason } from './explain.ts';
import { ladder } from './ladder.ts';
import type { SizeRange } from './size-range.ts';
import {
  forgetTimes,
  isOrdinary,
  observeStep,
  usualOf,
  usualSeconds,
  withEarlier,
  withEarlierOnly,
  type StepTimes,
} from './step-time.ts';

/** How a run finds out what a step takes at sizes that it does not run. All of it is ordinary training. */
export interface ExplorationOptions {
  /**
   * Steps of one round of warm-up at the first size, before anything is timed. Compilers and clocks make the first
   * steps of a program up to five times as slow as the later ones. Rounds follow until one is no longer faster, up to
   * ten and within `shareOfRun`. Default 10.
   */
  readonly warmUpSteps: number;
  /** Steps at each further size before it is timed: compilation, new buffers. Default 1. */
  readonly coldSteps: number;
  /** Steps timed per size. Default 6: in the first hundred steps of a program half of them may be slow. */
  readonly timedSteps: number;
  /** Factor between sizes. Default 4. */
  readonly growth: number;
  /** It ends where the seconds per example fell by less than this share per doubling of the batch. Default 0.1. */
  readonly leastImprovement: number;
  /** Largest share of the run's examples to spend at sizes other than the one held. Default 0.05. */
  readonly shareOfRun: number;
  /**
   * Sizes are timed again when the step time of the one held has changed by more than this factor. Default 1.4: below
   * that it is as often a busy machine as a change that lasts.
   */
  readonly driftRatio: number;
  /** Not before so many steps; the wait doubles each time. Default 50. */
  readonly retimeAfterSteps: number;
  /**
   * Steps from one look at the step time to the next, with which goodput decides (after the start it tries no size before a rest of 20
   * steps or more); more, up to ten times as many, the longer no size was tried. Default 10.
   */
  readonly lookEverySteps: number;
}

const DEFAULTS: ExplorationOptions = {
  warmUpSteps: 10,
  coldSteps: 1,
  timedSteps: 6,
  growth: 4,
  leastImprovement: 0.1,
  shareOfRun: 0.05,
  driftRatio: 1.4,
  retimeAfterSteps: 50,
  lookEverySteps: 10,
};

/**
 * The step time of a size is a line through those of smaller ones, so that a size far beyond the best has nothing to teach;
 * a few steps of it take as long as hundreds of the first.
 */
const FAR_BEYOND = 2;

/** A round of warm-up is followed by another while its fastest step took less than this share of the fastest before. */
const STILL_FASTER = 0.9;
const MOST_ROUNDS = 10;

/** Where an exploration stands: `sizes[index]` has run `steps` times. */
export type Exploration = {
  /** The size to go back to, unless another is found to be better. */
  readonly home: number;
  /** True at the start: it may lead to any size, not only to the next ones, and all earlier times are recent. */
  readonly isFree: boolean;
  readonly sizes: readonly number[];
  readonly index: number;
  readonly steps: number;
  /** The program's own warm-up, at the first size of a run; null once it is over. */
  readonly warmUp: WarmUp | null;
  /** What its sizes were known to take before it began; null at the start of a run. */
  readonly before: StepTimes | null;
};

/** Seconds of the fastest ordinary steps, null before there was one. */
export type WarmUp = {
  readonly round: number;
  readonly fastest: number | null;
  readonly fastestBefore: number | null;
  /** No further round begins after so many examples of the run; null without a bound. */
  readonly untilExamples: number | null;
};

/** The exploration after a step, null once it is over, and the times it found. */
export type Explored = { readonly exploration: Exploration | null; readonly times: StepTimes };

/** @throws RangeError where an option is out of its range */
export function explorationOptions(given: Partial<ExplorationOptions> = {}): ExplorationOptions {
  const options = { ...DEFAULTS, ...given };
  checkCount(options.warmUpSteps, 'exploration.warmUpSteps', 0);
  checkCount(options.coldSteps, 'exploration.coldSteps', 0);
  checkCount(options.timedSteps, 'exploration.timedSteps');
  checkCount(options.retimeAfterSteps, 'exploration.retimeAfterSteps');
  checkCount(options.lookEverySteps, 'exploration.lookEverySteps');
  checkAbove(options.growth, 'exploration.growth', 1);
  checkAbove(options.driftRatio, 'exploration.driftRatio', 1);
  checkShare(options.leastImprovement, 'exploration.leastImprovement');
  checkShare(options.shareOfRun, 'exploration.shareOfRun');
  return options;
}

/** Examples that it takes to try these sizes. */
export const triedExamples = (
  sizes: readonly number[],
  { coldSteps, timedSteps }: ExplorationOptions,
): number => sizes.reduce((sum, size) => sum + size, 0) * (coldSteps + timedSteps);

/**
 * The sizes to try at the start: the first, then powers of two at least `growth` apart (or the largest of all, where
 * there is no other), as many as fit in `budget` examples.
 */
export function sizesToTry(range: SizeRange, budget: number, options: ExplorationOptions): readonly number[] {
  const rungs = ladder(range).filter((rung) => rung > range.start);
  const sizes: number[] = [];
  for (let size: number | undefined = range.start; size !== undefined;) {
    const least: number = size * options.growth;
    size = rungs.find((rung) => rung >= least) ?? (sizes.length === 0 ? rungs.at(-1) : undefined);
    if (size === undefined || triedExamples([...sizes, size], options) > budget) break;
    sizes.push(size);
  }
  return [range.start, ...sizes];
}

/** The exploration at the start of a run; the program warms up first. */
export function firstExploration(
  sizes: readonly number[],
  { home, untilExamples }: { readonly home: number; readonly untilExamples: number | null },
  { warmUpSteps }: ExplorationOptions,
): Exploration {
  const warmUp: WarmUp = { round: 1, fastest: null, fastestBefore: null, untilExamples };
  return {
    home,
    isFree: true,
    sizes,
    index: 0,
    steps: 0,
    warmUp: warmUpSteps > 0 ? warmUp : null,
    before: null,
  };
}

/**
 * One later on, of sizes among which is the one held: it is timed anew beside the others, since what it took before may have
 * been a pause of the machine, and so may what it takes now. `ended` keeps the faster.
 */
export function laterExploration(
  times: StepTimes,
  { home, isFree, sizes }: Pick<Exploration, 'home' | 'isFree' | 'sizes'>,
): { readonly exploration: Exploration; readonly times: StepTimes } {
  const before = times.filter(({ batchSize }) => sizes.includes(batchSize));
  return {
    exploration: { home, isFree, sizes, index: 0, steps: 0, warmUp: null, before },
    times: sizes.reduce(forgetTimes, times),
  };
}

/**
 * The times that an exploration ends with. Of what a size took before and what it takes now the faster counts: at the start for all, whose
 * earlier times are a few steps old; later on for the one held, whose latest steps these are.
 */
const ended = ({ home, isFree, before }: Exploration, times: StepTimes): StepTimes =>
  (before ?? []).reduce((known, earlier) => {
    const { batchSize } = earlier;
    const [then, now] = [usualOf(earlier.seconds), usualSeconds(known, batchSize)];
    if (now === undefined) return withEarlier(known, earlier);
    if (then === undefined || now < then) return known;
    if (isFree) return withEarlierOnly(known, earlier);
    return batchSize === home ? withEarlier(known, earlier) : known;
  }, times);

/** Where something outside of the controller runs another size than was asked for, others are not to be had. */
function cutShort({ before }: Exploration, times: StepTimes, step: AppliedStep): Explored {
  const known = (before ?? []).reduce(withEarlier, times);
  return { exploration: null, times: observeStep(known, step) };
}

/** Whether the step that ended an exploration ran another size than was asked for. */
export const isCutShort = (exploration: Exploration, { plan }: AppliedStep): boolean =>
  plan.batchSize !== exploredSize(exploration);

/** The size that would be best by what is known so far, examples; infinite where that says nothing. */
export type BestSoFar = (times: StepTimes) => number;

/** What an exploration goes by. */
export interface ExplorationView {
  readonly step: AppliedStep;
  readonly options: ExplorationOptions;
  /** Sizes of more than twice of that are not tried. Default: none is too large. */
  readonly best?: BestSoFar | undefined;
}

/** One applied step later. */
export function explore(
  exploration: Exploration,
  times: StepTimes,
  { step, options, best = () => Infinity }: ExplorationView,
): Explored {
  const { sizes, index, warmUp } = exploration;
  if (isCutShort(exploration, step)) return cutShort(exploration, times, step);
  const steps = exploration.steps + 1;
  if (warmUp) {
    const rest = warmer(warmUp, step, { steps, roundSteps: options.warmUpSteps });
    // The very first step is kept, for what the first use of a size costs.
    return { exploration: { ...exploration, ...rest }, times: step.warm ? times : observeStep(times, step) };
  }
  const seen = steps > coldStepsOf(exploration, options) || !step.warm ? observeStep(times, step) : times;
  if (steps < stepsOf(exploration, options)) return { exploration: { ...exploration, steps }, times: seen };
  const next = sizes[index + 1];
  const isLast =
    next === undefined ||
    (beginsAtHome(exploration) &&
      (next > FAR_BEYOND * best(seen) || !hasImproved(seen, exploration, options)));
  if (isLast) return { exploration: null, times: ended(exploration, seen) };
  return { exploration: { ...exploration, index: index + 1, steps: 0 }, times: seen };
}

/** The size held is cold only where another one ran before. */
const coldStepsOf = ({ home, sizes, index }: Exploration, { coldSteps }: ExplorationOptions): number =>
  index === 0 && sizes[index] === home ? 0 : coldSteps;

/** Steps of the size being tried, or of a round of warm-up. */
const stepsOf = (exploration: Exploration, options: ExplorationOptions): number =>
  exploration.warmUp ? options.warmUpSteps : coldStepsOf(exploration, options) + options.timedSteps;

/** So many further steps pass before it is settled what comes next. */
export const unsettledSteps = (exploration: Exploration, options: ExplorationOptions): number =>
  Math.max(0, stepsOf(exploration, options) - 1 - exploration.steps);

/** The warm-up one step later, `steps` into its round. */
function warmer(
  warmUp: WarmUp,
  step: AppliedStep,
  { steps, roundSteps }: { readonly steps: number; readonly roundSteps: number },
): Pick<Exploration, 'steps' | 'warmUp'> {
  const { round, fastestBefore, untilExamples } = warmUp;
  const seconds = isOrdinary(step) ? (step.seconds ?? Infinity) : Infinity;
  const least = Math.min(warmUp.fastest ?? Infinity, seconds);
  const fastest = Number.isFinite(least) ? least : null;
  if (steps < roundSteps) return { steps, warmUp: { ...warmUp, fastest } };
  const isFaster = fastest !== null && fastest < STILL_FASTER * (fastestBefore ?? Infinity);
  const goesOn = isFaster && round < MOST_ROUNDS && step.totalExamples < (untilExamples ?? Infinity);
  if (!goesOn) return { steps: 0, warmUp: null };
  return { steps: 0, warmUp: { round: round + 1, fastest: null, fastestBefore: fastest, untilExamples } };
}

/** True of the one at the start of the run and its repetition: they begin with the size held. */
export const beginsAtHome = ({ sizes, home }: Exploration): boolean => sizes[0] === home;

/** The size to run next while it lasts. */
export const exploredSize = ({ sizes, index, home }: Exploration): number => sizes[index] ?? home;

/** Why that size: at the size that the run starts with nothing is tried out yet. */
export function exploringReason(exploration: Exploration): Reason {
  const batchSize = exploredSize(exploration);
  const isStart = exploration.before === null;
  if (isStart && batchSize === exploration.home) return startReason(batchSize);
  const purpose = isStart
    ? 'to learn how the time of a step grows with the batch'
    : 'to see what they take now';
  return { code: 'explore', text: `A few steps of ${batchSize}, ${purpose}.`, numbers: { batchSize } };
}

/** Those of its sizes that ran, but for the one held, where it ended with this step. */
export const triedSizes = (exploration: Exploration, step: AppliedStep): readonly number[] =>
  exploration.sizes
    .slice(0, exploration.index + (isCutShort(exploration, step) ? 0 : 1))
    .filter((size) => size !== exploration.home);

/** True unless larger batches have stopped making an example cheaper. */
export function hasImproved(
  times: StepTimes,
  { sizes, index }: Pick<Exploration, 'sizes' | 'index'>,
  { leastImprovement }: ExplorationOptions,
): boolean {
  const [smaller, larger] = [sizes[index - 1], sizes[index]];
  if (smaller === undefined || larger === undefined) return true;
  const [before, after] = [usualSeconds(times, smaller), usualSeconds(times, larger)];
  if (before === undefined || after === undefined) return true;
  const ratio = after / larger / (before / smaller);
  return ratio <= (1 - leastImprovement) ** Math.log2(larger / smaller);
}
