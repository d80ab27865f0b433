import type { BatchController, Decision, LearningRateSchedule, Measurement, Reason } from '@batchwise/core';
import { checkAbove, checkCount } from './check.ts';
import { about } from './explain.ts';
import { ladder, nearestRung } from './ladder.ts';
import { wholeBatch } from './plan.ts';
import { giveUp } from './recovery.ts';
import { checkSizes, sizeRange, type SizeOptions, type SizeRange } from './size-range.ts';

const NOTHING: readonly Measurement[] = [];

/** From so many examples on, batches of this size. */
export interface Milestone {
  readonly examples: number;
  readonly batchSize: number;
}

/** A learning rate whose drops are to become growth of the batch, or the growth itself. */
export type GrowthRule =
  { readonly rate: LearningRateSchedule } | { readonly milestones: readonly Milestone[] };

/** Bounds of the batch, and when it grows. */
export type ScheduleOptions = SizeOptions & GrowthRule;

/** All that `schedule` remembers. Survives JSON. */
export type ScheduleState = {
  readonly range: SizeRange;
  /** Largest rate so far, as a factor on the configured one; 0 with milestones. */
  readonly peakRate: number;
  /** The batch of the last plan, before others cut it. */
  readonly asked: number;
};

/**
 * Grows the batch on a plan that is made before the run, and measures nothing.
 *
 * With `rate`, the batch grows where that schedule would drop the learning rate (Smith et al. 2018, arXiv 1711.00489):
 * the noise of an update goes with η/B, so k times the batch does for the noise what a k-th of the rate does, in k times
 * fewer steps. The batch is the start times a power of two nearest to start · peak/rate, and what it lacks of it, also
 * beyond the largest batch allowed, the rate makes up: learningRateScale = rate · B/start. Where a smaller batch ran than was
 * asked for (`withCeiling`, `withGuard`), B is that one. A rise of the rate at the
 * start (a warm-up) stays one. Give the loop no schedule of its own then, and no `withLearningRate` around this.
 *
 * With `milestones`, each batch runs from its examples on, at the configured rate; of the bounds `maxBatchSize` alone holds.
 * @throws RangeError where a size or a milestone is out of its range
 */
export function schedule(options: ScheduleOptions): BatchController<ScheduleState> {
  checkSizes(options);
  const decide =
    'rate' in options ? byRate(options.rate) : byMilestones(options.milestones, options.maxBatchSize);
  return {
    name: 'schedule',
    measures: NOTHING,
    start: (run) =>
      decide({ range: sizeRange(options, run, 1), peakRate: 0, asked: 0 }, { examples: 0, held: undefined }),
    next: ({ totalExamples, plan }, state) =>
      decide(state, { examples: totalExamples, held: plan.batchSize }),
    recover: giveUp,
  };
}

/** Where the run stands. */
interface Position {
  readonly examples: number;
  /** The batch that just ran. */
  readonly held: number | undefined;
}

type Rule = (state: ScheduleState, position: Position) => Decision<ScheduleState>;

/** The rate of the very end may be 0, which no step should have. */
const LEAST_RATE = 1e-9;

function byRate(rate: LearningRateSchedule): Rule {
  return ({ range, peakRate: before, asked }, { examples, held }) => {
    const answer = rate(examples);
    if (!Number.isFinite(answer) || answer < 0)
      throw new RangeError(
        `rate answers ${answer} at ${examples} examples; give a finite number of at least 0.`,
      );
    const now = Math.max(LEAST_RATE, answer);
    const peakRate = Math.max(before, now);
    const { start, max } = range;
    const rungs = ladder({ min: start, max: Math.max(start, max), multipleOf: start });
    const batchSize = nearestRung(rungs, (start * peakRate) / now);
    const isCut = held !== undefined && held < asked;
    const learningRateScale = (now * (isCut ? Math.min(held, batchSize) : batchSize)) / start;
    return {
      plan: { ...wholeBatch(batchSize), learningRateScale },
      reason: rateReason(batchSize, held, { start, drop: now / peakRate, learningRateScale }),
      measure: NOTHING,
      state: { range, peakRate, asked: batchSize },
    };
  };
}

function rateReason(
  batchSize: number,
  held: number | undefined,
  numbers: { readonly start: number; readonly drop: number; readonly learningRateScale: number },
): Reason {
  const { start, drop, learningRateScale } = numbers;
  const all = { batchSize, rateDrop: drop, learningRateScale };
  if (held === undefined || held === batchSize)
    return {
      code: held === undefined ? 'start' : 'steady',
      text: `${batchSize} by the schedule.`,
      numbers: all,
    };
  return {
    code: 'schedule',
    text:
      `The schedule has the learning rate at ${about(drop)} of its peak. Batches of ${batchSize} in place of ${start} ` +
      `take as much noise from the updates in fewer steps, with the rate at ${about(learningRateScale)} of the configured one.`,
    numbers: all,
  };
}

function byMilestones(milestones: readonly Milestone[], maxBatchSize = Infinity): Rule {
  const sorted = [...milestones].sort((a, b) => a.examples - b.examples);
  for (const { examples, batchSize } of sorted) {
    checkAbove(examples, 'examples of a milestone');
    checkCount(batchSize, 'batchSize of a milestone');
  }
  return (state, { examples, held }) => {
    const { range } = state;
    const reached = sorted.findLast((milestone) => milestone.examples <= examples);
    const batchSize = Math.min(reached?.batchSize ?? range.start, maxBatchSize);
    const isNew = held !== undefined && held !== batchSize && reached !== undefined;
    return {
      plan: wholeBatch(batchSize),
      reason: {
        code: isNew ? 'milestone' : held === undefined ? 'start' : 'steady',
        text: isNew
          ? `The schedule asks for batches of ${batchSize} from ${reached.examples} examples on.`
          : `${batchSize} by the schedule.`,
        numbers: { batchSize, examples },
      },
      measure: NOTHING,
      state,
    };
  };
}
