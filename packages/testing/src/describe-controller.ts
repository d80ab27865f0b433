import type { AppliedStep, BatchController, Decision, FailedStep, Json, RunInfo } from '@batchwise/core';
import { describe, expect, it } from 'vitest';

/** How far the controller is driven, and in what run. */
export interface ControllerSuiteOptions {
  /** Steps that each check drives the controller through. Default 200. */
  readonly steps?: number;
  readonly run?: RunInfo;
}

/** Steps that are observed at once in a check. */
const MOST_OBSERVED = 30;

const RUN: RunInfo = { datasetSize: 54_000, plannedExamples: 540_000, seed: 1 };

/** A step that obeyed the decision, with measurements as a steady device would give them. */
function obey(decision: Decision<Json>, totalExamples: number, warm: boolean): AppliedStep {
  const { plan, measure } = decision;
  const { batchSize } = plan;
  const half = Math.floor(batchSize / 2);
  const measured = measure.includes('gradient') && batchSize > 1;
  return {
    kind: 'applied',
    plan,
    examples: batchSize,
    microBatchSize: Math.min(plan.microBatchSize, measured ? batchSize - half : batchSize),
    totalExamples: totalExamples + batchSize,
    warm,
    ...(measure.includes('loss') && { loss: 1 / (1 + totalExamples / 10_000) }),
    ...(measure.includes('seconds') && { seconds: 0.004 + 0.00002 * batchSize + (measured ? 0.004 : 0) }),
    ...(measured && {
      gradient: {
        sizes: [batchSize - half, half],
        squaredNorms: [1 + 900 / (batchSize - half), 1 + 900 / half],
        crossProduct: (batchSize - half) * half,
      },
    }),
    ...(measure.includes('memory') && {
      memory: { bytesInUse: 1e6, peakBytes: 1e6 + 4e3 * batchSize, source: 'fake' },
    }),
  };
}

function drive(
  controller: BatchController<Json>,
  run: RunInfo,
  options: { steps: number; roundTrip?: boolean },
): Decision<Json>[] {
  const trip = <T>(value: T): T => (options.roundTrip ? (JSON.parse(JSON.stringify(value)) as T) : value);
  const decisions = [controller.start(run)];
  let examples = 0;
  for (let i = 0; i < options.steps; i += 1) {
    const before = decisions[i - 1];
    const decision = trip(decisions[i] as Decision<Json>);
    const step = obey(decision, examples, before?.plan.batchSize === decision.plan.batchSize);
    examples += step.examples;
    decisions.push(controller.next(step, decision.state));
  }
  return decisions;
}

function expectSound({ plan, reason, measure, evidence = {} }: Decision<Json>): void {
  expect(Number.isInteger(plan.batchSize) && plan.batchSize > 0, `batchSize ${plan.batchSize}`).toBe(true);
  expect(Number.isInteger(plan.microBatchSize) && plan.microBatchSize > 0).toBe(true);
  expect(plan.microBatchSize).toBeLessThanOrEqual(plan.batchSize);
  expect(plan.learningRateScale).toBeGreaterThan(0);
  expect(Number.isFinite(plan.learningRateScale)).toBe(true);
  expect(reason.code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(reason.text.length).toBeGreaterThan(0);
  for (const [name, value] of Object.entries(reason.numbers)) expect(Number.isFinite(value), name).toBe(true);
  expect(new Set(measure).size, 'each measurement once').toBe(measure.length);
  for (const [name, value] of Object.entries(evidence)) expect(Number.isFinite(value), name).toBe(true);
}

/**
 * The contract of a BatchController as a vitest suite: sound plans with a reason, purity, and a state that survives
 * JSON. `make` is called for each check.
 */
export function describeController<State extends Json>(
  name: string,
  make: () => BatchController<State>,
  options: ControllerSuiteOptions = {},
): void {
  const { steps = 200, run = RUN } = options;
  const open = (): BatchController<Json> => make() as unknown as BatchController<Json>;

  describe(`${name} keeps the contract of a BatchController`, () => {
    it('gives sound plans, each with a reason', () => {
      const controller = open();
      for (const decision of drive(controller, run, { steps })) {
        expectSound(decision);
        for (const measurement of decision.measure) expect(controller.measures).toContain(measurement);
        if (decision.snapshot) expect(controller.restores, 'restores').toBe(true);
      }
    });

    it('decides the same from the same arguments, in any instance', () => {
      expect(drive(open(), run, { steps })).toEqual(drive(open(), run, { steps }));
    });

    it('keeps no memory outside its state', () => {
      const controller = open();
      const first = drive(controller, run, { steps });
      expect(drive(controller, run, { steps })).toEqual(first);
    });

    it('decides the same after its state went through JSON', () => {
      expect(drive(open(), run, { steps, roundTrip: true })).toEqual(drive(open(), run, { steps }));
      for (const { state } of drive(open(), run, { steps }))
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    });

    it('remembers the same where it only observes, while a decision stands', () => {
      const controller = open();
      const decisions = drive(controller, run, { steps });
      for (const [i, decision] of decisions.entries()) {
        const { standsFor = 0, plan, state } = decision;
        if (!controller.observe || standsFor === 0) continue;
        const seen = Array.from({ length: Math.min(standsFor, MOST_OBSERVED) }, (_, later) =>
          obey(decision, (i + later) * plan.batchSize, true),
        );
        const told = seen.reduce((before, step) => controller.next(step, before).state, state);
        expect(controller.observe(seen, state)).toEqual(told);
      }
    });

    it('does not change what it is given', () => {
      const controller = open();
      const decision = deepFreeze(controller.start(deepFreeze({ ...run })));
      expect(() => controller.next(deepFreeze(obey(decision, 0, false)), decision.state)).not.toThrow();
    });

    it('recovers with a sound plan or gives up with a message', () => {
      const controller = open();
      const { plan, state } = controller.start(run);
      for (const kind of ['outOfMemory', 'nonFinite'] as const) {
        const step: FailedStep = {
          kind,
          plan,
          microBatchSize: plan.microBatchSize,
          cause: new Error('planted'),
        };
        const recovery = controller.recover(step, state);
        if (recovery.kind === 'retry') expectSound(recovery.decision);
        else expect(recovery.message.length).toBeGreaterThan(0);
        expect(controller.recover(step, state)).toEqual(recovery);
      }
    });
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
  return value;
}
