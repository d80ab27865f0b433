import { describe, expect, it } from 'vitest';
import { bestBatchSize, goodputOf } from '../src/goodput-maths.ts';
import { MCCANDLISH } from '../src/optimizers.ts';
import { policy } from '../src/policy.ts';
import { bestFixed, runPlant, type Plant, type PlantRun } from './plant.ts';
import { run } from './step.ts';

const SECONDS_PER_EXAMPLE = 1e-5;
const ADAM = { examplesExponent: 0.5, examplesSharpness: 2 };

/** α/β in examples; Adam's law is the truth, unless another is given. */
const machine = (ratio: number, noiseScale: number, more: Partial<Plant> = {}): Plant => ({
  fixedSeconds: ratio * SECONDS_PER_EXAMPLE,
  secondsPerExample: SECONDS_PER_EXAMPLE,
  noiseScale: () => noiseScale,
  criticalBatchFactor: 1,
  ...ADAM,
  ...more,
});

const goodputAt = (
  { fixedSeconds, secondsPerExample }: Plant,
  batchSize: number,
  criticalBatchSize: number,
) =>
  goodputOf({
    batchSize,
    stepSeconds: fixedSeconds + secondsPerExample * batchSize,
    criticalBatchSize,
    ...ADAM,
  });

const moves = ({ steps }: PlantRun, from = 0) =>
  steps.filter(({ plan }, i) => i > from && plan.batchSize !== steps[i - 1]?.plan.batchSize).length;

const last = ({ steps }: PlantRun) => steps.at(-1)?.plan.batchSize ?? 0;

describe.each([
  [32, 20],
  [32, 600],
  [32, 3000],
  [256, 100],
  [256, 600],
  [256, 3000],
  [2048, 20],
  [2048, 600],
])('α/β = %s, φ = %s', (ratio, noise) => {
  const plant = machine(ratio, noise, { seed: 5 });
  const progress = 1500;
  const tuned = runPlant(policy('goodput'), plant, { ...run(), progress });

  it('ends within 5 % of the best goodput that its bounds allow', () => {
    const free = bestBatchSize({ ...plant, criticalBatchSize: noise, ...ADAM });
    const best = goodputAt(plant, Math.min(2048, free), noise);
    expect(goodputAt(plant, last(tuned), noise) / best).toBeGreaterThan(0.95);
  });

  it('takes at most 15 % longer than the best fixed batch, exploring, first uses and measuring included', () => {
    const best = bestFixed(plant, noise, { progress, min: 8, max: 2048 });
    expect(tuned.seconds / best.seconds).toBeLessThan(1.15);
  });

  it('spends at most 2 % of the time on measuring', () => {
    expect(tuned.measuringSeconds / tuned.seconds).toBeLessThan(0.02);
  });

  it('does not cycle', () => {
    expect(moves(tuned, tuned.steps.length >> 1)).toBeLessThanOrEqual(4);
  });
});

describe('goodput in closed loop', () => {
  it('spends at most 2 % of the first 1,000 steps on measuring, those at the start included', () => {
    for (const [ratio, plannedExamples] of [
      [32, 6e5],
      [256, 1.5e6],
      [2048, 5e6],
      [1e5, 6e6],
    ] as const) {
      const info = { ...run({ datasetSize: 1e5, plannedExamples }) };
      const first = runPlant(policy('goodput'), machine(ratio, 600), info).steps.slice(0, 1000);
      expect(first).toHaveLength(1000);
      const seconds = first.reduce((sum, step) => sum + step.seconds, 0);
      const extra = first.filter(({ measured }) => measured).length * ratio * SECONDS_PER_EXAMPLE;
      expect(extra / seconds).toBeLessThan(0.02);
    }
  });

  it('measures within 1 % in steady state, with as much to spare for noise', () => {
    for (const ratio of [32, 256, 2048]) {
      const { steps } = runPlant(policy('goodput'), machine(ratio, 600), { ...run(), progress: 1500 });
      const late = steps.slice(steps.length >> 1);
      const seconds = late.reduce((sum, step) => sum + step.seconds, 0);
      const extra = late.filter(({ measured }) => measured).length * ratio * SECONDS_PER_EXAMPLE;
      expect(extra / seconds).toBeLessThan(0.015);
      expect(extra / seconds).toBeGreaterThan(0.004);
    }
  });

  it('settles where the noise grows with the batch, as at a rate that does not follow (φ ∝ B/η)', () => {
    // φ = 100 B / (32 s) with s ≤ 8: B = √(α/β c φ) is solved by B = 256 · 3 · 100 / (32 · 8) = 300 once s = 8,
    // where B ∝ φ would have gone to the bound of 3750.
    const plant = machine(256, 0, {
      noiseScale: ({ batchSize, learningRateScale }) => (100 * batchSize) / (32 * learningRateScale),
      ...MCCANDLISH,
    });
    const tuned = runPlant(policy('goodput', { optimizer: 'momentum' }), plant, { ...run(), progress: 1000 });
    expect([256, 512]).toContain(last(tuned));
    expect(moves(tuned, tuned.steps.length >> 1)).toBeLessThanOrEqual(2);
  });

  it('follows a noise scale that grows through the run, from the small to the large', () => {
    // φ from 20 to 30,000: B² (B − 256) = 2 · 256 φ² from 259 to 7810, beyond the bound of 2048.
    const plant = machine(256, 0, { noiseScale: (_plan, progress) => 20 * 1500 ** (progress / 1500) });
    const { steps } = runPlant(policy('goodput'), plant, { ...run(), progress: 1500 });
    const early = steps.slice(100, 300).map(({ plan: { batchSize } }) => batchSize);
    expect(Math.max(...early)).toBeLessThanOrEqual(512);
    expect(steps.at(-1)?.plan.batchSize).toBeGreaterThanOrEqual(1024);
  });

  it('finds its way though the program is still warming up while it explores', () => {
    const plant = machine(256, 20, { warmUpSteps: 30, ...MCCANDLISH });
    const controller = policy('goodput', { optimizer: 'momentum', maxBatchSize: 2048 });
    const tuned = runPlant(controller, plant, { ...run({ plannedExamples: 1e6 }) });
    expect(last(tuned)).toBeGreaterThanOrEqual(64);
    expect(last(tuned)).toBeLessThanOrEqual(256);
  });

  it('stands noisy clocks', () => {
    const plant = machine(256, 600, { timeNoise: 0.3 });
    const tuned = runPlant(policy('goodput'), plant, { ...run(), progress: 1500 });
    // Mean of a lognormal with σ = 0.3: e^0.045.
    const best = bestFixed(plant, 600, { progress: 1500, min: 8, max: 2048 }).seconds * Math.exp(0.045);
    expect(tuned.seconds / best).toBeLessThan(1.15);
  });

  it('costs what a wrong c must cost, no more: 6 times off is 2.4 times in B, 21 % of time', () => {
    const plant = machine(2048, 600, { ...MCCANDLISH, criticalBatchFactor: 0.5 });
    const controller = policy('goodput', { optimizer: 'momentum', maxBatchSize: 2048 });
    const tuned = runPlant(controller, plant, { ...run(), progress: 1500 });
    expect(tuned.seconds / bestFixed(plant, 600, { progress: 1500, min: 8, max: 2048 }).seconds).toBeLessThan(
      1.28,
    );
  });

  it.each([2000, 10_000, 60_000])('explores with at most 5 %% of a run of %s examples', (plannedExamples) => {
    for (const warmUpSteps of [0, 30]) {
      const plant = machine(2048, 600, warmUpSteps ? { warmUpSteps } : {});
      const { steps } = runPlant(policy('goodput'), plant, { ...run({ plannedExamples }) });
      const tried = steps
        .filter(({ code }) => code === 'explore')
        .filter(({ plan: { batchSize } }) => batchSize !== 32);
      const examples = tried.reduce((sum, { outcome }) => sum + outcome.examples, 0);
      expect(examples).toBeLessThanOrEqual(0.05 * plannedExamples);
    }
  });

  it.each(['goodput', 'knee'] as const)(
    '%s never exceeds a 16th of the dataset, nor what it was given',
    (name) => {
      const plant = machine(1e6, 1e5);
      const largest = (options: { maxBatchSize?: number }, datasetSize: number) => {
        const { steps } = runPlant(policy(name, options), plant, {
          ...run({ datasetSize, plannedExamples: 500_000 }),
        });
        return Math.max(...steps.map(({ plan: { batchSize } }) => batchSize));
      };
      expect(largest({}, 10_000)).toBe(512);
      expect(largest({ maxBatchSize: 200 }, 10_000)).toBe(128);
    },
  );
});

describe('memory in closed loop', () => {
  // With micro-batches of at most 64, T/B stays at α/64 + β: a batch beyond 64 only costs examples.
  it('runs into the limit while it explores, at most twice, and settles where accumulating does not pay', () => {
    const tuned = runPlant(policy('goodput'), machine(256, 100, { fits: 100 }), { ...run(), progress: 1000 });
    expect(tuned.failures).toBe(1);
    expect(Math.max(...tuned.steps.map(({ plan: { microBatchSize } }) => microBatchSize))).toBe(64);
    expect([64, 128]).toContain(last(tuned));
    const best = bestFixed(machine(256, 100), 100, { progress: 1000, min: 64, max: 64 });
    expect(tuned.seconds / best.seconds).toBeLessThan(1.15);
  });

  it('is never asked for more than a known ceiling', () => {
    const controller = policy('goodput', { ceiling: { batchSize: 100 } });
    const tuned = runPlant(controller, machine(256, 100, { fits: 100 }), { ...run(), progress: 200 });
    expect(tuned.failures).toBe(0);
  });

  it('gives up where not even one example fits', () => {
    expect(() =>
      runPlant(policy('goodput'), machine(256, 100, { fits: 0 }), { ...run(), progress: 9 }),
    ).toThrow('a single example');
  });
});

describe('knee in closed loop', () => {
  it('is as good as goodput where the noise is usual, and pays for it where it is small', () => {
    const relative = (name: 'knee' | 'goodput', ratio: number, noise: number) => {
      const plant = machine(ratio, noise, MCCANDLISH);
      const best = bestFixed(plant, noise, { progress: 1500, min: 8, max: 2048 });
      const controller = policy(name, { optimizer: 'momentum', maxBatchSize: 2048 });
      return runPlant(controller, plant, { ...run(), progress: 1500 }).seconds / best.seconds;
    };
    expect(relative('knee', 32, 600)).toBeLessThan(1.05);
    expect(relative('knee', 256, 20)).toBeGreaterThan(3);
    expect(relative('goodput', 256, 20)).toBeLessThan(1.1);
  });
});
