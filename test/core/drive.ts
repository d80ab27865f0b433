import type { BatchController, BatchPlan, Decision, Measurement, Observer, RunEvents } from '@batchwise/core';

/** A decision with as little said as possible. */
export function decide(
  plan: Partial<BatchPlan> & { batchSize: number },
  measure: readonly Measurement[] = ['loss'],
) {
  const full = { microBatchSize: plan.batchSize, learningRateScale: 1, ...plan };
  return { plan: full, reason: { code: 'test', text: 'said so', numbers: {} }, measure, state: null };
}

/** A controller that always says the same, and gives up on the first failure. */
export function always(decision: Decision<null>): BatchController<null> {
  return {
    name: 'always',
    measures: decision.measure,
    start: () => decision,
    next: () => decision,
    recover: (step) => ({ kind: 'giveUp', message: `gave up on ${step.kind}` }),
  };
}

/** One size after another, by the step. */
export function sizes(...batchSizes: readonly number[]): BatchController<number> {
  const at = (step: number): Decision<number> => ({
    ...decide({ batchSize: batchSizes[Math.min(step, batchSizes.length - 1)] ?? 1 }),
    state: step,
  });
  return {
    name: 'sizes',
    measures: ['loss'],
    start: () => at(0),
    next: (_step, state) => at(state + 1),
    recover: () => ({ kind: 'giveUp', message: 'gave up' }),
  };
}

/** Halves the micro-batch after each failure. */
export const halving = (batchSize: number): BatchController<number> => {
  const at = (microBatchSize: number): Decision<number> => ({
    ...decide({ batchSize, microBatchSize }),
    state: microBatchSize,
  });
  return {
    name: 'halving',
    measures: ['loss'],
    start: () => at(batchSize),
    next: (_step, state) => at(state),
    recover: (_step, state) => ({ kind: 'retry', decision: at(Math.ceil(state / 2)) }),
  };
};

type Told = { [Event in keyof RunEvents]: readonly [Event, RunEvents[Event]] }[keyof RunEvents];

/** Writes down all events, in their order. */
export function recorder(): Observer & {
  readonly told: Told[];
  of<E extends keyof RunEvents>(event: E): RunEvents[E][];
} {
  const told: Told[] = [];
  return {
    name: 'recorder',
    told,
    of: <E extends keyof RunEvents>(event: E) =>
      told.filter(([name]) => name === event).map(([, payload]) => payload as RunEvents[E]),
    onRunStarted: (event) => void told.push(['runStarted', event]),
    onStepFailed: (event) => void told.push(['stepFailed', event]),
    onStepFinished: (event) => void told.push(['stepFinished', event]),
    onPlanChanged: (event) => void told.push(['planChanged', event]),
    onValidated: (event) => void told.push(['validated', event]),
    onEpochFinished: (event) => void told.push(['epochFinished', event]),
    onRunFinished: (event) => void told.push(['runFinished', event]),
  };
}
