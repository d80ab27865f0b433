import type { Decision, Json, RunEvents } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { policy } from '../src/policy.ts';
import { replay, runTracer, type RunTrace } from '../src/trace.ts';
import { runPlant } from './plant.ts';
import { applied, failed, plan, run, scripted } from './step.ts';

type Events = Pick<RunEvents, 'runStarted' | 'stepFinished' | 'stepFailed'>;

/** A tracer that was told these events. */
function traced(
  info: RunEvents['runStarted']['run'],
  outcomes: readonly Events['stepFinished' | 'stepFailed']['outcome'][],
  from?: Decision<Json>,
) {
  const { observer, trace } = runTracer(from);
  expect(trace()).toBeUndefined();
  const reason = { code: 'start', text: 'As written.', numbers: {} };
  void observer.onRunStarted?.({ run: info, plan: plan(1), reason });
  for (const outcome of outcomes) {
    const where = { step: 0, epoch: 0, examples: 0 };
    if (outcome.kind === 'applied')
      void observer.onStepFinished?.({ ...where, outcome, learningRateScale: 1, reason });
    else void observer.onStepFailed?.({ ...where, outcome });
  }
  const written = trace();
  if (!written) throw new Error('no trace');
  return JSON.parse(JSON.stringify(written)) as RunTrace;
}

describe('a trace', () => {
  const info = run({
    datasetSize: 20_000,
    plannedExamples: 200_000,
    secondMoment: { decay: 0.999, updates: 0 },
  });
  const make = () => policy('goodput');
  const plant = {
    fixedSeconds: 2e-3,
    secondsPerExample: 1e-5,
    noiseScale: () => 200,
    criticalBatchFactor: 3,
  };

  it('replayed gives the plans of the run', () => {
    const { steps } = runPlant(make(), plant, info);
    const trace = traced(
      info,
      steps.map(({ outcome }) => outcome),
    );
    const decisions = replay(make(), trace);
    expect(decisions).toHaveLength(steps.length + 1);
    expect(decisions.slice(0, -1).map((decision) => decision.plan)).toEqual(steps.map((step) => step.plan));
    expect(new Set(steps.map((step) => step.plan.batchSize)).size).toBeGreaterThan(2);
    // Another controller decides otherwise from the same measurements.
    expect(replay(policy('fixed'), trace).map((decision) => decision.plan)).not.toEqual(
      decisions.map((decision) => decision.plan),
    );
  });

  it('replayed gives the plans of a run whose steps ran out of memory', () => {
    const controller = make();
    const told: Events['stepFinished' | 'stepFailed']['outcome'][] = [];
    const decided: Decision<Json>[] = [];
    const { failures } = runPlant(
      {
        ...controller,
        start(of) {
          decided.push(controller.start(of));
          return decided[0] as Decision<Json>;
        },
        next(step, state) {
          told.push(step);
          const decision = controller.next(step, state);
          decided.push(decision);
          return decision;
        },
        recover(step, state) {
          told.push(step);
          const recovery = controller.recover(step, state);
          if (recovery.kind === 'retry') decided.push(recovery.decision);
          return recovery;
        },
      },
      { ...plant, fits: 100 },
      info,
    );
    expect(failures).toBeGreaterThan(0);
    const said = (decisions: readonly Decision<Json>[]) =>
      decisions.map(({ plan: one, reason }) => [one, reason]);
    expect(said(replay(make(), traced(info, told)))).toEqual(said(decided));
  });

  it('replayed gives the plans of a run that went on from a checkpoint', () => {
    const outcomes = runPlant(make(), plant, info).steps.map(({ outcome }) => outcome);
    const whole = replay(make(), traced(info, outcomes)).map((decision) => decision.plan);
    const middle = replay(make(), traced(info, outcomes.slice(0, 150))).at(-1);
    const rest = outcomes.slice(150);
    const plans = (trace: RunTrace) => replay(make(), trace).map((decision) => decision.plan);
    expect(plans(traced(info, rest, middle))).toEqual(whole.slice(150));
    expect(plans(traced(info, rest))).not.toEqual(whole.slice(150));
  });

  it('keeps failures that the controller is asked about, streams, and numbers that JSON cannot', () => {
    const gradient = {
      sizes: [16, 16],
      squaredNorms: [Infinity, 1],
      crossProduct: NaN,
      penalty: { squaredNorm: Infinity, products: [1, NaN] },
    };
    const trace = traced(run({ datasetSize: undefined }), [
      applied(plan(32), { gradient, loss: 2 }),
      failed('deviceLost', plan(32)),
      failed('nonFinite', plan(32), 16),
      failed('outOfMemory', plan(32)),
      applied(plan(32)),
    ]);
    expect(trace).toMatchObject({
      schema: 'batchwise.trace/1',
      from: null,
      run: { datasetSize: null, plannedExamples: null, seed: 0, secondMoment: null },
    });
    expect(trace.outcomes[1]).toEqual({ kind: 'nonFinite', plan: plan(32), microBatchSize: 16 });
    const seen: unknown[] = [];
    const inner = scripted([32]);
    const decisions = replay(
      {
        ...inner,
        next: (step, state) => {
          seen.push(step);
          return inner.next(step, state);
        },
      },
      trace,
    );
    expect(seen).toEqual([
      applied(plan(32), {
        gradient: {
          sizes: [16, 16],
          squaredNorms: [NaN, 1],
          crossProduct: NaN,
          penalty: { squaredNorm: NaN, products: [1, NaN] },
        },
        loss: 2,
      }),
    ]);
    // The start, the step, the retry; then the controller gave up.
    expect(decisions).toHaveLength(3);
  });
});
