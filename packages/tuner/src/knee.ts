import type { BatchController, Decision, Reason } from '@batchwise/core';
import { checkAbove } from './check.ts';
import { about, homeReason, startReason, steadyReason } from './explain.ts';
import {
  explorationOptions,
  exploredSize,
  exploringReason,
  triedSizes,
  type ExplorationOptions,
} from './exploration.ts';
import { ladder, nearestRung } from './ladder.ts';
import { PLAIN, wholeBatch } from './plan.ts';
import { giveUp } from './recovery.ts';
import { priorTimes, type TuningPrior } from './prior.ts';
import { checkSizes, sizeRange, whyNoLarger, type SizeOptions, type SizeRange } from './size-range.ts';
import { fitStepTime, largestPart, timedRungs, type StepTimeFit, type StepTimes } from './step-time.ts';
import { recalledTiming, startTiming, timeStep, timeSteps, unwatchedSteps, type Timing } from './timing.ts';

/** Smallest batch where no `minBatchSize` is given, examples. */
const USUAL_MIN = 32;

/** Bounds of the batch, and the numbers of the knee rule. */
export interface KneeOptions extends SizeOptions {
  /** The batch over α/β. Default 8: there the fixed cost is a ninth of a step. */
  readonly multiple?: number | undefined;
  readonly exploration?: Partial<ExplorationOptions> | undefined;
  /** What earlier runs found; the run then starts at the knee of its step times and tries no size. */
  readonly prior?: TuningPrior | undefined;
}

/** All that `knee` remembers. Survives JSON. */
export type KneeState = { readonly range: SizeRange; readonly timing: Timing };

/**
 * Picks the batch from step time alone: 8 α/β examples, where step time T = α + βB has left its flat part, between 32
 * and what `SizeOptions` allow, on the nearest power of two. It looks at no gradient; it decides after a few steps at
 * growing sizes, and again only where the first of them looked no better or step times have changed since. The honest control for `goodput`: in simulation it
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
      const times = priorTimes(options.prior);
      const fit = times && fitStepTime(times);
      const batchSize = fit ? kneeOf(fit, multiple, { range, times }) : range.start;
      const timing = times
        ? recalledTiming(times, { home: batchSize, run }, exploring)
        : startTiming(range, run, exploring);
      return {
        plan: wholeBatch(batchSize),
        reason:
          fit && times
            ? recalled(kneeReason(batchSize, fit, times))
            : startReason(batchSize, whyNoLarger(options, run)),
        measure: PLAIN,
        state: { range, timing },
        firm: true,
      };
    },
    next(step, { range, timing: before }) {
      const timing = timeStep(before, { step, options: exploring });
      const rest = { measure: PLAIN, state: { range, timing } };
      const run = (batchSize: number, reason: Reason): Decision<KneeState> => ({
        ...rest,
        plan: wholeBatch(batchSize),
        reason,
        firm: true,
      });
      if (timing.exploration) {
        const trial = run(exploredSize(timing.exploration), exploringReason(timing.exploration));
        return { ...trial, standsFor: unwatchedSteps(timing, exploring) };
      }
      if (!before.exploration) {
        const { batchSize } = step.plan;
        const reason = steadyReason(batchSize);
        return { ...rest, plan: wholeBatch(batchSize), reason, standsFor: unwatchedSteps(timing, exploring) };
      }
      const { home } = before.exploration;
      const fit = fitStepTime(timing.times);
      if (!fit || timedRungs(timing.times).length < 2)
        return run(home, homeReason(home, triedSizes(before.exploration, step)));
      const batchSize = kneeOf(fit, multiple, { range, times: timing.times });
      return run(batchSize, kneeReason(batchSize, fit, timing.times));
    },
    observe: (steps, { range, timing }) => ({ range, timing: timeSteps(timing, steps, exploring) }),
    recover: giveUp,
  };
}

/** Beyond the largest micro-batch a larger batch is run in parts, each with a fixed cost of its own. */
function kneeOf(
  { fixedSeconds, secondsPerExample }: StepTimeFit,
  multiple: number,
  { range, times }: { readonly range: SizeRange; readonly times: StepTimes },
): number {
  const largest = largestPart(timedRungs(times));
  const wanted = Math.min((multiple * fixedSeconds) / secondsPerExample, largest);
  const rungs = ladder(range);
  const whole = rungs.filter((rung) => rung <= largest);
  return nearestRung(whole.length > 0 ? whole : rungs, Math.min(range.max, Math.max(range.min, wanted)));
}

function kneeReason(
  batchSize: number,
  { fixedSeconds, secondsPerExample }: StepTimeFit,
  times: StepTimes,
): Reason {
  const fixed = about(fixedSeconds * 1000);
  const perExample = about(secondsPerExample * 1e6);
  const largest = Math.floor(largestPart(timedRungs(times)));
  const isBound = Number.isFinite(largest) && 2 * batchSize > largest;
  return {
    code: 'knee',
    text: isBound
      ? `Larger batches are run in parts of ${largest} examples, and each part takes another ${fixed} ms before its ` +
        `first example: beyond ${batchSize} there is nothing to save.`
      : `A step takes ${fixed} ms before its first example and ${perExample} µs for each, so at ${batchSize} ` +
        'larger batches have little left to save.',
    numbers: { batchSize, fixedSeconds, secondsPerExample, ...(isBound && { microBatchSize: largest }) },
  };
}

const recalled = (reason: Reason): Reason => ({
  ...reason,
  code: 'recorded',
  text: `From earlier runs: ${reason.text}`,
});
