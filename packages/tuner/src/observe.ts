import type { AppliedStep, BatchController, Json } from '@batchwise/core';

/** What `controller` remembers after a step that its last decision stands for. */
export const observe = <State extends Json>(
  controller: BatchController<State>,
  step: AppliedStep,
  state: State,
): State => (controller.observe ? controller.observe(step, state) : controller.next(step, state).state);
