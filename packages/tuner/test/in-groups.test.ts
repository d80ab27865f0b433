import type { AppliedStep, BatchController, Decision, Json } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { steadySteps } from '../src/ceiling.ts';
import { explorationOptions } from '../src/exploration.ts';
import { goodput } from '../src/goodput.ts';
import { inGroups } from '../src/in-groups.ts';
import { knee } from '../src/knee.ts';
import { unmeasuredSteps } from '../src/noise-watch.ts';
import { noiseScale } from '../src/noise-scale.ts';
import { unwatchedSteps } from '../src/timing.ts';
import { withCeiling } from '../src/with-ceiling.ts';
import { withGuard } from '../src/with-guard.ts';
import { withHysteresis } from '../src/with-hysteresis.ts';
import { withLearningRate } from '../src/with-learning-rate.ts';
import { withSecondMoment } from '../src/with-second-moment.ts';
import { isEqual } from './equal.ts';
import { runPlant, type Plant } from './plant.ts';
import { applied, failed, plan, run } from './step.ts';

/** Says the same for as many steps as `stands` says, and writes down what it is told. */
function talkative(stands: readonly number[], more: Partial<Decision<number>> = {}) {
  const heard: AppliedStep[] = [];
  const say = (state: number): Decision<number> => ({
    plan: plan(64),
    reason: { code: 'said', text: `For the ${state}th time.`, numbers: {} },
    measure: ['seconds'],
    state,
    standsFor: stands[Math.min(state, stands.length - 1)] ?? 0,
    ...more,
  });
  const controller: BatchController<number> = {
    name: 'talkative',
    measures: ['seconds'],
    start: () => say(0),
    next(step, state) {
      heard.push(step);
      return say(state + 1);
    },
    recover: (_step, state) => ({ kind: 'retry', decision: say(100 + state) }),
  };
  return { controller, heard };
}

const step = (seconds: number, more: Partial<AppliedStep> = {}) => applied(plan(64), { seconds, ...more });

describe('inGroups', () => {
  it('tells the steps in their order once the decision no longer stands', () => {
    const { controller, heard } = talkative([2]);
    const grouped = inGroups(controller);
    let decision = grouped.start(run());
    const states = [1, 2, 3, 4].map((seconds) => {
      decision = grouped.next(step(seconds), decision.state);
      return [heard.length, decision.state.inner, decision.reason.text];
    });
    expect(states).toEqual([
      [0, 0, 'For the 0th time.'],
      [0, 0, 'For the 0th time.'],
      [3, 3, 'For the 3th time.'],
      [3, 3, 'For the 3th time.'],
    ]);
    expect(heard.map(({ seconds }) => seconds)).toEqual([1, 2, 3]);
  });

  it.each<[string, AppliedStep]>([
    ['is cold', step(1, { warm: false })],
    ['is short', step(1, { examples: 5 })],
    [
      'measured the gradient',
      step(1, { gradient: { sizes: [32, 32], squaredNorms: [1, 1], crossProduct: 1 } }),
    ],
    ['measured the memory', step(1, { memory: { peakBytes: 1, currentBytes: 1 } as never })],
    ['ran another size', applied(plan(32))],
    ['ran in parts', applied(plan(64, 32))],
    ['ran at another rate', applied(plan(64, 64, 2))],
  ])('waits no longer with a step that %s', (_what, odd) => {
    const { controller, heard } = talkative([9]);
    const grouped = inGroups(controller);
    const first = grouped.next(step(1), grouped.start(run()).state);
    expect(heard).toEqual([]);
    expect(grouped.next(odd, first.state).state).toMatchObject({ inner: 2, untold: [] });
    expect(heard).toEqual([step(1), odd]);
  });

  it('tells what waits before it asks what to do after a failure', () => {
    const { controller, heard } = talkative([9]);
    const grouped = inGroups(controller);
    const { state } = grouped.next(step(1), grouped.start(run()).state);
    const recovery = grouped.recover(failed('outOfMemory', plan(64)), state);
    expect(heard).toEqual([step(1)]);
    expect(recovery).toMatchObject({ kind: 'retry', decision: { state: { inner: 101, untold: [] } } });
  });

  it('has the steps that wait observed, where the controller can', () => {
    const { controller, heard } = talkative([2]);
    const seen: number[][] = [];
    const grouped = inGroups({
      ...controller,
      observe(steps, state) {
        seen.push(steps.map(({ seconds = 0 }) => seconds));
        return state + 10 * steps.length;
      },
    });
    let decision = grouped.start(run());
    for (const seconds of [1, 2, 3]) decision = grouped.next(step(seconds), decision.state);
    expect(seen).toEqual([[1, 2]]);
    expect(heard).toEqual([step(3)]);
    expect(decision.state).toMatchObject({ inner: 21, untold: [] });
  });

  it('puts weights back that an explosion among the waiting steps has spoilt', () => {
    const steady = {
      ...talkative([9]).controller,
      observe: (steps: readonly AppliedStep[], state: number) => state + steps.length,
    };
    const grouped = inGroups(withGuard(steady));
    let decision: Decision<Json> = grouped.start(run());
    const losses = [
      ...Array<number>(12).fill(2),
      ...Array<number>(40).fill(0.1),
      ...Array<number>(10).fill(9),
    ];
    const snapshots = losses.map((loss) => {
      decision = grouped.next(step(1, { loss }), decision.state as never);
      return decision.snapshot;
    });
    expect(snapshots.indexOf('restore')).toBeGreaterThan(52);
    expect(snapshots.filter((one) => one === 'restore')).toHaveLength(1);
  });
});

const plant: Plant = {
  fixedSeconds: 2e-3,
  secondsPerExample: 1e-5,
  noiseScale: (_, progress) => 100 + progress,
  criticalBatchFactor: 3,
  timeNoise: 0.3,
  fits: 100,
};
const info = run({
  datasetSize: 60_000,
  plannedExamples: 400_000,
  secondMoment: { decay: 0.99, updates: 0 },
});
const cut = (inner: BatchController<Json>, batchSize: number) =>
  withCeiling(inner, { batchSize, accumulate: false });
const coupling = { rule: 'sqrt', referenceBatchSize: 32 } as const;
const damped = (inner: BatchController<Json>) => withCeiling(withHysteresis(inner));
/** The last is the share of the steps after which it is asked at most; noise is measured often on this machine. */
const chains: readonly [string, () => BatchController<Json>, number][] = [
  ['goodput', () => withLearningRate(damped(goodput() as BatchController<Json>), coupling), 0.4],
  [
    'goodput with Adam',
    () => withLearningRate(withSecondMoment(damped(goodput() as BatchController<Json>)), coupling),
    0.5,
  ],
  [
    'goodput cut to the size that it begins with',
    () => withLearningRate(cut(withHysteresis(goodput()) as BatchController<Json>, 32), coupling),
    0.8,
  ],
  [
    'knee cut to a size that it tries',
    () => withLearningRate(cut(knee() as BatchController<Json>, 128), coupling),
    0.8,
  ],
  ['noiseScale', () => withLearningRate(damped(noiseScale() as BatchController<Json>), coupling), 0.8],
  ['knee', () => withLearningRate(withCeiling(knee()), coupling), 0.4],
];

describe.each(chains)('a chain around %s', (name, chain, share) => {
  it('makes the same plans for the same reasons as asked at each step, with fewer calls', () => {
    let calls = 0;
    // As in `policy`.
    const grouped = inGroups(withGuard(inGroups(chain())));
    const counted: typeof grouped = {
      ...grouped,
      next(seen, state) {
        const decision = grouped.next(seen, state);
        if (decision.state.untold.length === 0) calls += 1;
        return decision;
      },
    };
    const [alone, together] = [runPlant(withGuard(chain()), plant, info), runPlant(counted, plant, info)];
    const said = ({ steps }: typeof alone) =>
      steps.map(({ plan: one, measured, code }) => ({ plan: one, measured, code }));
    expect(said(together)).toEqual(said(alone));
    expect(alone.steps.length).toBeGreaterThan(400);
    // 100 examples fit, more than the size that one of them is cut to.
    expect(together.failures > 0).toBe(!name.includes('cut to the size that it begins with'));
    expect(together.failures).toBe(alone.failures);
    expect(calls).toBeLessThan(share * together.steps.length);
  });

  it.each([
    ['', () => withGuard(chain()) as BatchController<Json>],
    [', grouped within', () => withGuard(inGroups(chain())) as BatchController<Json>],
  ])('keeps its word on how long a decision stands%s', (_how, make) => {
    const controller = make();
    let [promises, covered] = [0, 0];
    const broken: unknown[] = [];
    const checked: typeof controller = {
      ...controller,
      next(seen, state) {
        const decision = controller.next(seen, state);
        const { plan: stands, standsFor = 0 } = decision;
        const isSame = stands.batchSize === seen.plan.batchSize && seen.warm && !seen.gradient;
        covered = isSame ? covered - 1 : 0;
        // It is the promise of before, of which as much is left.
        if (covered > 0 && covered >= standsFor) return decision;
        covered = standsFor;
        let later = decision;
        for (let i = 0; i < standsFor; i += 1) {
          const odd = {
            seconds: (seen.seconds ?? 1) * (1 + 9 * (i % 2)),
            loss: 1,
            totalExamples: seen.totalExamples,
          };
          const told = controller.next(applied(stands, odd), later.state);
          const observed = controller.observe?.([applied(stands, odd)], later.state);
          later = told;
          const { plan: then, measure, snapshot, state } = later;
          const [is, promised] = [
            { then, measure, snapshot, state },
            { then: stands, measure: decision.measure, snapshot: undefined, state: observed },
          ];
          // `expect` takes many times as long, for each of tens of thousands of promises.
          if (!isEqual(is, promised)) broken.push({ is, promised });
          promises += 1;
        }
        return decision;
      },
    };
    runPlant(checked, plant, info);
    expect(broken).toEqual([]);
    expect(promises).toBeGreaterThan(400);
  });
});

describe('how long a decision stands', () => {
  it('goes to the last step before the next look, measurement, or higher ceiling', () => {
    const unwatched = (steps: number, lookAt: number) =>
      unwatchedSteps({ steps, lookAt, exploration: null }, explorationOptions());
    expect([0, 8, 9].map((steps) => unwatched(steps, 10))).toEqual([9, 1, 0]);
    expect(unwatched(250, 275)).toBe(24);
    const interval = { measureEvery: 5 };
    expect(
      [0, 3, 4, 7].map((stepsSinceMeasured) => unmeasuredSteps({ ...interval, stepsSinceMeasured })),
    ).toEqual([4, 1, 0, 0]);
    const low = { now: 10, fitted: 20, holds: 10, patience: 200 };
    expect([0, 198, 199].map((steps) => steadySteps({ ...low, steps }))).toEqual([199, 1, 0]);
    expect(steadySteps({ ...low, now: 20, steps: 0 })).toBe(Infinity);
    expect(steadySteps({ ...low, now: null, steps: 0 })).toBe(Infinity);
  });

  it('goes to the last step of a round of warm-up, and of a size that is tried', () => {
    const exploration = { timedSteps: 3 };
    const controllers = [
      withLearningRate(goodput({ exploration }), coupling),
      withLearningRate(knee({ exploration }), coupling),
    ];
    for (const controller of controllers as BatchController<Json>[]) {
      let decision = controller.start(run());
      const stands = Array.from({ length: 27 }, (_, i) => {
        const { batchSize } = decision.plan;
        // The second round of warm-up is no faster than the first.
        const seconds = i === 0 ? 9 : batchSize / 32;
        decision = controller.next(
          applied(decision.plan, { seconds, warm: ![0, 23].includes(i) }),
          decision.state,
        );
        return [batchSize, decision.standsFor ?? 0];
      });
      const steps = (batchSize: number, lefts: readonly number[]) => lefts.map((left) => [batchSize, left]);
      // Two rounds of ten, three that are timed; of 128 the first is not.
      expect(stands.slice(0, 26)).toEqual([
        ...steps(32, [8, 7, 6, 5, 4, 3, 2, 1, 0, 9]),
        ...steps(32, [8, 7, 6, 5, 4, 3, 2, 1, 0, 2]),
        ...steps(32, [1, 0, 3]),
        ...steps(128, [2, 1, 0]),
      ]);
    }
  });

  it('goes to the last step before the next decision', () => {
    const exploration = { lookEverySteps: 4, warmUpSteps: 0 };
    for (const controller of [
      goodput({ exploration, bootMeasurements: 0 }),
      noiseScale({ decideEverySteps: 4, bootMeasurements: 0 }),
    ]) {
      let decision: Decision<Json> = controller.start(run());
      const stands = Array.from({ length: 40 }, () => {
        decision = controller.next(applied(decision.plan, { seconds: 1 }), decision.state as never);
        return decision.standsFor ?? 0;
      });
      // The size that the run starts with is left alone for twenty steps.
      expect(Math.max(...stands.slice(-12))).toBe(3);
    }
  });
});
