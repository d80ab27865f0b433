import type { BatchController, Decision, Reason } from '@batchwise/core';
import { checkAbove } from './check.ts';
import { about, homeReason, startReason, steadyReason } from './explain.ts';
import { explorationOptions, exploredSize, exploringReason, type ExplorationOptions } from './exploration.ts';
import { ladder, nearestRung } from './ladder.ts';
import { PLAIN, wholeBatch } from './plan.ts';
import { giveUp } from './recovery.ts';
import { checkSizes, sizeRange, type SizeOptions, type SizeRange } from './size-range.ts';
import { fitStepTime, timedRungs, type StepTimeFit } from './step-time.ts';
import { startTiming, timeStep, type Timing } from './timing.ts';

/** Smallest batch where no `minBatchSize` is given, examples. */
const USUAL_MIN = 32;

/** Bounds of the batch, and the numbers of the knee rule. */
export interface KneeOptions extends SizeOptions {
  /** The batch over α/β. Default 8: there the fixed cost is a ninth of a step. */
  readonly multiple?: number | undefined;
  readonly exploration?: Partial<ExplorationOptions> | undefined;
}

/** All that `knee` remembers. Survives JSON. */
export type KneeState = { readonly range: SizeRange; readonly timing: Timing };

/**
 * Picks the batch from step time alone: 8 α/β examples, where step time T = α + βB has left its flat part, between 32
 * and what `SizeOptions` allow, on the nearest power of two. It looks at no gradient; it decides after a few steps at
 * growing sizes, and again only where step times have changed since. The honest control for `goodput`: in simulation it
 * came as close to the best fixed batch, except where the noise scale is very small or very large.
 * @throws RangeError where an option is out of its range
 */
export function knee(options: KneeOptions = {}): BatchController<KneeState> {
  const { multiple = 8 } = options;
  checkSizes(options);
  checkAbove(multiple, 'multiple');
  const exploring = explorationOptions(options.exploration);
  return {
    name: 'knee',
    measures: PLAIN,
    start(run) {
      const range = sizeRange(options, run, USUAL_MIN);
      return {
        plan: wholeBatch(range.start),
        reason: startReason(range.start),
        measure: PLAIN,
        state: { range, timing: startTiming(range, run, exploring) },
        firm: true,
      };
    },
    next(step, { range, timing: before }) {
      const timing = timeStep(before, step, exploring);
      const rest = { measure: PLAIN, state: { range, timing } };
      const run = (batchSize: number, reason: Reason): Decision<KneeState> => ({
        ...rest,
        plan: wholeBatch(batchSize),
        reason,
        firm: true,
      });
      if (timing.exploration) {
        return run(exploredSize(timing.exploration), exploringReason(timing.exploration));
      }
      if (!before.exploration) {
        const { batchSize } = step.plan;
        return { ...rest, plan: wholeBatch(batchSize), reason: steadyReason(batchSize) };
      }
      const { home } = before.exploration;
      const fit = fitStepTime(timing.times);
      if (!fit || timedRungs(timing.times).length < 2) return run(home, homeReason(home));
      const batchSize = kneeOf(fit, multiple, range);
      return run(batchSize, kneeReason(batchSize, fit));
    },
    recover: giveUp,
  };
}

function kneeOf(
  { fixedSeconds, secondsPerExample }: StepTimeFit,
  multiple: number,
  range: SizeRange,
): number {
  const wanted = (multiple * fixedSeconds) / secondsPerExample;
  return nearestRung(ladder(range), Math.min(range.max, Math.max(range.min, wanted)));
}

function kneeReason(batchSize: number, { fixedSeconds, secondsPerExample }: StepTimeFit): Reason {
  const fixed = about(fixedSeconds * 1000);
  const perExample = about(secondsPerExample * 1e6);
  return {
    code: 'knee',
    text:
      `A step takes ${fixed} ms before its first example and ${perExample} µs for each, so at ${batchSize} ` +
      'larger batches have little left to save.',
    numbers: { batchSize, fixedSeconds, secondsPerExample },
  };
}
