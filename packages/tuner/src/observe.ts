import type { AppliedStep, BatchController, Json } from '@batchwise/core';

/** What `controller` remembers after steps that its last decision stands for, in their order. */
export const observe = <State extends Json>(
  controller: BatchController<State>,
  steps: readonly AppliedStep[],
  state: State,
): State =>
  controller.observe
    ? controller.observe(steps, state)
    : steps.reduce((before, step) => controller.next(step, before).state, state);
