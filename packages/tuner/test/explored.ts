import type { AppliedStep, Decision } from '@batchwise/core';
import { goodput, type GoodputState } from '../src/goodput.ts';
import type { GoodputOptions } from '../src/goodput-options.ts';
import { MCCANDLISH } from '../src/optimizers.ts';
import { applied, plan, run } from './step.ts';

/** Seconds of a step on a machine with α/β = 200. */
export const T = (batchSize: number) => 2e-3 + 1e-5 * batchSize;

/** Goodput by McCandlish's law, with three timed steps a size so that explorations are short. */
export const quick = (options: GoodputOptions = {}) =>
  goodput({ ...MCCANDLISH, ...options, exploration: { timedSteps: 3, ...options.exploration } });

/** Explores on that machine and stops with the decision that ends it, or the trial that follows. Step `paused` takes ten times as long. */
export function explored(options: GoodputOptions = {}, info = run(), paused = 0): Decision<GoodputState> {
  const controller = quick(options);
  let decision = controller.start(info);
  let before = plan(1);
  let count = 0;
  while (decision.state.timing.exploration) {
    const warm = before.batchSize === decision.plan.batchSize;
    before = decision.plan;
    count += 1;
    const seconds = T(before.batchSize) * (count === paused ? 10 : 1);
    decision = controller.next(applied(before, { seconds, warm }), decision.state);
  }
  return decision;
}

/** Steps that run as decided. */
export function follow(
  decision: Decision<GoodputState>,
  steps: number,
  more: (i: number) => Partial<AppliedStep>,
) {
  return followWith({}, decision, { steps, more });
}

export function followWith(
  options: GoodputOptions,
  decision: Decision<GoodputState>,
  { steps, more }: { steps: number; more: (i: number) => Partial<AppliedStep> },
) {
  const controller = quick(options);
  const decisions: Decision<GoodputState>[] = [];
  let now = decision;
  let before = decision.plan;
  for (let i = 0; i < steps; i += 1) {
    const warm = before.batchSize === now.plan.batchSize;
    before = now.plan;
    const step = applied(now.plan, { seconds: T(now.plan.batchSize), warm, ...more(i) });
    now = controller.next(step, now.state);
    decisions.push(now);
  }
  return decisions;
}
