import type { BatchController, Decision, Json } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { policy, policyNames, type PolicyName } from '../src/policy.ts';
import type { GrowthRule } from '../src/schedule.ts';
import { runPlant, type Plant } from './plant.ts';
import { applied, failed, plan, run, throughJson } from './step.ts';

const plant: Plant = {
  fixedSeconds: 2e-3,
  secondsPerExample: 1e-5,
  noiseScale: () => 600,
  criticalBatchFactor: 3,
};

/** Of a new Adam. */
const secondMoment = { decay: 0.999, updates: 0 };

const info = { ...run({ plannedExamples: 300_000 }) };

describe('policy', () => {
  it('fixed runs the batch that was asked for at the configured rate, in parts where it must', () => {
    const controller = policy('fixed', { batchSize: 100, ceiling: { batchSize: 50 } });
    const start = controller.start(run());
    expect(start.plan).toEqual(plan(100, 50));
    expect(controller.next(applied(start.plan), start.state).plan).toEqual(plan(100, 50));
  });

  it.each([
    ['adam', (growth: number) => Math.sqrt(growth), 4],
    ['momentum', (growth: number) => Math.min(8, growth), 8],
    ['sgd', (growth: number) => Math.min(4, growth), 4],
  ] as const)('goodput and knee couple the rate of %s to the batch', (optimizer, rule, at512) => {
    const tuned = runPlant(policy('goodput', { optimizer }), plant, info).steps.at(-1)?.plan;
    expect(tuned?.batchSize).toBeGreaterThan(32);
    expect(tuned?.learningRateScale).toBeCloseTo(rule((tuned?.batchSize ?? 0) / 32), 9);
    const knee = runPlant(policy('knee', { optimizer, maxBatchSize: 512 }), plant, info).steps.at(-1)?.plan;
    expect(knee).toEqual(plan(512, 512, at512));
  });

  it('raises the rate at once where an earlier run leads to a larger batch', () => {
    const stepTimes = [32, 128, 512].map((batchSize) => ({
      batchSize,
      parts: 1,
      seconds: plant.fixedSeconds + plant.secondsPerExample * batchSize,
      firstSeconds: 0.1,
    }));
    const controller = policy('goodput', { optimizer: 'momentum', prior: { stepTimes, noiseScale: 600 } });
    const { steps } = runPlant(controller, plant, info);
    expect(controller.start(info).reason.code).toBe('recorded');
    expect(steps.slice(0, 30).map(({ plan: of }) => of)).toEqual(
      Array.from({ length: 30 }, (_, i) => plan(256, 256, expect.closeTo(Math.min(8, 1.1 ** i), 9) as never)),
    );
  });

  it('lets the averages forget by examples on request, and then makes up for nothing', () => {
    const options = { optimizer: 'adam', moments: 'rescale' } as const;
    const { steps } = runPlant(policy('goodput', options), plant, { ...info, secondMoment });
    const last = steps.at(-1)?.plan;
    expect(last?.batchSize).toBeGreaterThan(128);
    expect(last?.learningRateScale).toBeCloseTo(Math.sqrt((last?.batchSize ?? 0) / 32), 9);
    expect(steps.map(({ plan: of }) => of.momentDecayScale)).toEqual(
      steps.map(({ plan: of }) => Math.min(4, of.learningRateScale ** 2)),
    );
    expect(() => policy('knee', { optimizer: 'sgd', moments: 'rescale' })).toThrow('goes with the rule sqrt');
  });

  it('makes up for what Adam remembers of other batches, less and less', () => {
    const { steps } = runPlant(
      policy('goodput', {}),
      plant,
      run({ plannedExamples: 3_000_000, secondMoment }),
    );
    const { batchSize } = steps.at(-1)?.plan ?? plan(0);
    const ruled = Math.sqrt(batchSize / 32);
    const scales = steps.map(({ plan: ran }) => ran.learningRateScale);
    expect(Math.max(...scales)).toBeGreaterThan(1.5 * ruled);
    expect(scales.at(-1)).toBeCloseTo(ruled, 12);
  });

  it.each<PolicyName>(['goodput', 'noiseScale'])('%s stands gradients without any noise', (name) => {
    const plant: Plant = {
      fixedSeconds: 2e-3,
      secondsPerExample: 1e-5,
      noiseScale: () => 0,
      criticalBatchFactor: 1,
    };
    const info = run({ plannedExamples: 50_000, secondMoment: { decay: 0.999, updates: 0 } });
    const { steps } = runPlant(policy(name, { optimizer: 'adam' }), plant, info);
    expect(steps.filter(({ measured }) => measured).length).toBeGreaterThan(3);
    const rates = steps.map((step) => step.plan.learningRateScale);
    expect(rates.filter((rate) => !(rate > 0 && rate < 9))).toEqual([]);
  });

  it('takes the law of McCandlish for Adam under another rule than the root', () => {
    // α/β = 200 and φ = 20: √(200 · 3 · 20) = 110 under the linear rule, where B² (B − 200) = 2 · 200 · 20² has 204.
    const quiet = { ...plant, noiseScale: () => 20 };
    const last = (learningRateRule: 'linear' | 'sqrt') =>
      runPlant(policy('goodput', { learningRateRule, maxBatchSize: 2048 }), quiet, info).steps.at(-1)?.plan
        .batchSize;
    expect([last('linear'), last('sqrt')]).toEqual([128, 256]);
  });

  it.each(['none', () => 2] as const)('leaves the rate to the rule %s', (learningRateRule) => {
    const { steps } = runPlant(policy('goodput', { learningRateRule }), plant, { ...info, secondMoment });
    const scales = steps.map(({ plan: ran }) => ran.learningRateScale);
    expect(Math.max(...scales)).toBe(learningRateRule === 'none' ? 1 : 2);
  });

  it.each(['goodput', 'knee', 'noiseScale'] as const)(
    '%s lets the rate warm up with the examples',
    (name) => {
      const warmUpExamples = 40_000;
      const options = { optimizer: 'sgd', maxBatchSize: 128 } as const;
      const { steps } = runPlant(policy(name, { ...options, warmUpExamples }), plant, info);
      const rates = steps.map(({ plan: { learningRateScale } }) => learningRateScale);
      const examples = steps.map(({ outcome: { totalExamples } }) => totalExamples);
      // From 1 to 4 in a straight line, told by the examples before the step.
      rates.slice(1).forEach((rate, i) => {
        expect(rate).toBeLessThanOrEqual(1 + (3 * (examples[i] ?? 0)) / warmUpExamples + 1e-9);
      });
      const half = rates[examples.findIndex((count) => count >= warmUpExamples / 2) + 1];
      expect(half).toBeCloseTo(2.5, 1);
      expect(rates.at(-1)).toBe(4);
    },
  );

  it('takes batchSize for the reference of the learning rate', () => {
    const controller = policy('knee', { optimizer: 'sgd', batchSize: 128, maxBatchSize: 256 });
    const { steps } = runPlant(controller, plant, info);
    expect(steps[0]?.plan).toEqual(plan(128));
    expect(steps.at(-1)?.plan).toEqual(plan(256, 256, 2));
  });

  it.each([
    // The rate follows to 4, 8 and 8 times its value: linearly, linearly, and with the root.
    [{ optimizer: 'sgd' }, 128],
    [{ optimizer: 'sgd', batchSize: 64 }, 256],
    [{ optimizer: 'momentum' }, 256],
    [{ optimizer: 'adam' }, 2048],
    [{ optimizer: 'momentum', learningRateRule: 'sqrt' }, 2048],
    [{ optimizer: 'sgd', maxBatchSize: 1024 }, 1024],
    // Where the rate is another matter a sixteenth of the data set is the bound; 4,096 promises 16 % more than 2,048.
    [{ optimizer: 'sgd', learningRateRule: 'none' }, 4096],
    [{ optimizer: 'sgd', learningRateRule: () => 1 }, 4096],
  ] as const)('goodput takes no batch that the rate does not follow to: %j', (options, largest) => {
    const noisy = { ...plant, fixedSeconds: 8e-3, noiseScale: () => 1e6, timeNoise: 0.005 };
    const long = run({ datasetSize: 65_536, plannedExamples: 3_000_000 });
    const sizes = runPlant(policy('goodput', options), noisy, long).steps.map(
      ({ plan: ran }) => ran.batchSize,
    );
    expect(Math.max(...sizes)).toBe(largest);
    expect(sizes.at(-1)).toBe(largest);
  });

  it.each(['goodput', 'knee', 'noiseScale', 'fixed'] as const)(
    '%s trains fewer examples than a batch at the configured rate',
    (name) => {
      for (const optimizer of ['sgd', 'adam'] as const) {
        const plan = policy(name, { optimizer }).start(run({ datasetSize: 6 })).plan;
        expect(plan).toMatchObject({ batchSize: name === 'fixed' ? 32 : 6, learningRateScale: 1 });
      }
    },
  );

  it('does not raise the rate while it explores', () => {
    const { steps } = runPlant(policy('goodput'), plant, info);
    for (const step of steps.filter(({ code }) => code === 'explore'))
      expect(step.plan.learningRateScale).toBe(1);
  });

  it('moves at most by two, to sizes that it has just tried, and rests for 20 steps', () => {
    const { steps } = runPlant(policy('goodput'), { ...plant, noiseScale: () => 20 }, info);
    const isMove = (i: number) => steps[i]?.code === 'goodput' && steps[i - 1]?.code !== 'goodput';
    const [, ...later] = steps.flatMap((_, i) => (isMove(i) ? [i] : []));
    expect(later.length).toBeGreaterThan(0);
    for (const i of later) {
      const from = steps[i - 1]?.plan.batchSize ?? 0;
      const to = steps[i]?.plan.batchSize ?? 0;
      expect([0.5, 2]).toContain(to / from);
      // Seven steps of the new size and seven to compare, and before those at least twenty on the way.
      const before = steps.slice(i - 14, i).map(({ plan: { batchSize } }) => batchSize);
      expect(before).toEqual([...Array<number>(7).fill(to), ...Array<number>(7).fill(from)]);
      const since = steps.slice(i - 34, i - 14);
      expect(since.every(({ plan: ran }) => ran.batchSize === from)).toBe(true);
    }
  });

  it('carries on in halves when memory runs out, at the same batch and rate', () => {
    const controller = policy('goodput');
    const { steps } = runPlant(controller, plant, { ...info, plannedExamples: 30_000 });
    let decision: Decision<Json> = controller.start(run());
    for (const { outcome } of steps) decision = controller.next(outcome, decision.state);
    const { batchSize, learningRateScale } = decision.plan;
    const recovery = controller.recover(failed('outOfMemory', decision.plan), decision.state);
    if (recovery.kind !== 'retry') throw new Error(recovery.message);
    expect(recovery.decision.plan).toEqual(plan(batchSize, batchSize / 2, learningRateScale));
    const next = controller.next(applied(recovery.decision.plan, { seconds: 1 }), recovery.decision.state);
    expect(next.plan.microBatchSize).toBe(batchSize / 2);
  });

  it('ends with a helpful message when the loss is not finite', () => {
    const controller = policy('goodput', { guard: false });
    expect(controller.restores).toBeUndefined();
    const { state } = controller.start(run());
    const recovery = controller.recover(failed('nonFinite', plan(256, 256, 2.83)), state);
    expect(recovery).toMatchObject({
      kind: 'giveUp',
      message: expect.stringMatching(/batch of 256 .* 2\.83 times/),
    });
  });

  it.each([
    ['goodput', true],
    ['goodput', false],
    ['knee', false],
    ['fixed', false],
  ] as const)('%s keeps below a ceiling of 100 (accumulate: %s)', (name, accumulate) => {
    const controller = policy(name, { batchSize: 64, ceiling: { batchSize: 100, accumulate } });
    for (const { plan: ran } of runPlant(controller, plant, info).steps) {
      expect(ran.microBatchSize).toBeLessThanOrEqual(100);
      if (!accumulate) expect(ran.batchSize).toBeLessThanOrEqual(100);
    }
  });

  it('guards all but fixed, so that weights go back where a loss is not finite', () => {
    const halved: GrowthRule = { rate: (examples) => (examples < 1000 ? 1 : 0.5) };
    for (const name of policyNames) {
      const controller = policy(name, { growth: halved });
      expect(controller.restores ?? false).toBe(name !== 'fixed');
      const { state } = controller.start(run());
      const { kind } = controller.recover(failed('nonFinite', plan(32)), state);
      expect(kind).toBe(name === 'fixed' ? 'giveUp' : 'retry');
    }
  });

  it('noiseScale follows the noise, schedule its growth, each with the rate that belongs to it', () => {
    const noisy = runPlant(policy('noiseScale', { optimizer: 'momentum' }), plant, info).steps.at(-1)?.plan;
    expect(noisy).toEqual(plan(512, 512, 8));
    const growth: GrowthRule = { rate: (examples) => (examples < 100_000 ? 1 : 1 / 3) };
    const grown = runPlant(policy('schedule', { growth }), plant, info).steps;
    expect(grown[0]?.plan).toEqual(plan(32));
    // 96 is nearest to 128 in log distance; the rate makes up for what is too much.
    expect(grown.at(-1)?.plan).toEqual({ ...plan(128), learningRateScale: expect.closeTo(4 / 3, 12) });
    const rule = () => 1.5;
    const own = runPlant(policy('knee', { learningRateRule: rule, maxBatchSize: 512 }), plant, info).steps;
    expect(own.at(-1)?.plan).toEqual(plan(512, 512, 1.5));
    expect(() => policy('schedule')).toThrow('Policy schedule needs growth');
  });

  it('advises on batch normalisation where the model has it', () => {
    const text = (batchNorm: boolean) =>
      policy('fixed', { batchSize: 8, batchNorm }).start(run()).reason.text;
    expect(text(true)).toContain('Batch normalisation sees only 8 examples at a time');
    expect(text(false)).not.toContain('Batch normalisation');
  });

  it.each(policyNames)('%s is pure: replayed through JSON it decides the same', (name) => {
    const make = (): BatchController<Json> =>
      policy(name, {
        ceiling: { batchSize: 300 },
        growth: { milestones: [{ examples: 5000, batchSize: 400 }] },
      });
    const short = { ...info, datasetSize: 7000, plannedExamples: 70_000 };
    const { steps } = runPlant(make(), plant, short);
    let replayed = make().start(short);
    steps.forEach(({ outcome, plan: ran, code }) => {
      expect(replayed.plan).toEqual(ran);
      expect(replayed.reason.code).toBe(code);
      for (const value of Object.values(replayed.reason.numbers)) expect(Number.isFinite(value)).toBe(true);
      const state = throughJson(replayed.state);
      expect(state).toEqual(replayed.state);
      replayed = make().next(outcome, state);
    });
  });

  it('refuses names that it does not know', () => {
    const name: string = 'magic';
    expect(() => policy(name as PolicyName)).toThrow(
      'No policy is called magic; known are goodput, knee, noiseScale, schedule, fixed.',
    );
    expect(() => policy('goodput', { batchSize: 16, minBatchSize: 32 })).toThrow(RangeError);
  });
});
