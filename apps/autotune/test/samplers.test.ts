import { describe, expect, it } from 'vitest';
import { makeSampler, SAMPLER_NAMES, type SamplerName } from '../src/samplers.ts';

/** 900 examples of class 0, then 90 of class 1, then 10 of class 2. */
const labels = Uint8Array.from({ length: 1000 }, (_, k) => (k < 900 ? 0 : k < 990 ? 1 : 2));
const task = { labels, classes: 3, seed: 5, curriculumExamples: 2000 };

const shares = (indices: Int32Array): number[] =>
  [0, 1, 2].map((label) => indices.filter((index) => labels[index] === label).length / indices.length);

const epochOf = (name: SamplerName, epoch = 0): Int32Array => makeSampler(name, task).epoch(epoch).take(1000);

/** Knows a loss of 0.1 of the first half of the examples, and of 1.9 of the others. */
function toldLosses(name: SamplerName, more: Partial<Parameters<typeof makeSampler>[1]> = {}) {
  const sampler = makeSampler(name, { ...task, ...more });
  const all = Int32Array.from(labels, (_, k) => k);
  sampler.observe?.(
    all,
    Array.from(all, (k) => (k < 500 ? 0.1 : 1.9)),
  );
  return sampler;
}

describe('makeSampler', () => {
  it.each(['shuffled', 'stratified'] as const)('%s visits each example once', (name) => {
    expect([...epochOf(name)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, k) => k));
  });

  it('stratified keeps the shares of the classes in each part of an epoch, shuffled does not', () => {
    const inParts = (name: SamplerName): number =>
      Math.max(
        ...Array.from({ length: 10 }, (_, part) => {
          const [common = NaN] = shares(epochOf(name).slice(100 * part, 100 * part + 100));
          return Math.abs(common - 0.9);
        }),
      );
    expect(inParts('stratified')).toBeLessThan(0.015);
    expect(inParts('shuffled')).toBeGreaterThan(0.03);
  });

  it('balanced draws the classes alike', () => {
    for (const share of shares(epochOf('balanced'))) expect(share).toBeCloseTo(1 / 3, 2);
  });

  it('weighted draws each class by n / E_n of its examples', () => {
    // E_n = (1 - 0.999^n) / 0.001 is 593.6, 86.1 and 9.96 of 900, 90 and 10, so the masses are 1.516, 1.045 and 1.004.
    const expected = [0.4253, 0.2931, 0.2816];
    const counts = [0, 1, 2, 3].map((epoch) => shares(epochOf('weighted', epoch)));
    expected.forEach((share, label) => {
      const mean = counts.reduce((sum, epoch) => sum + (epoch[label] ?? NaN), 0) / 4;
      // 4,000 draws: three standard errors are 0.024.
      expect(Math.abs(mean - share)).toBeLessThan(0.024);
    });
  });

  it.each([
    ['importance', true],
    ['hard', false],
  ] as const)('%s draws high losses more often; corrected: %s', (name, isCorrected) => {
    const sampler = toldLosses(name);
    const cursor = sampler.epoch(0);
    const drawn = cursor.take(1000);
    const floor = name === 'hard' ? 0.2 : 0.1;
    const share = drawn.filter((index) => index >= 500).length / 1000;
    expect(Math.abs(share - (floor / 2 + (1 - floor) * 0.95))).toBeLessThan(0.03);
    expect(cursor.weights !== undefined).toBe(isCorrected);
    const weights = cursor.weights ?? [];
    drawn.forEach((index, i) => {
      // 1 / (N p), of which N p is floor + (1 - floor) · loss / mean loss.
      const relative = floor + (1 - floor) * (index < 500 ? 0.1 : 1.9);
      if (isCorrected) expect(weights[i]).toBeCloseTo(1 / relative, 2);
    });
  });

  it('takes a floor and a β of its own', () => {
    const sampler = toldLosses('hard', { floor: 0.5, beta: 0.5 });
    const cursor = sampler.epoch(0);
    const drawn = cursor.take(1000);
    // 0.5 · 0.5 + 0.5 · 0.95; five standard errors of 1,000 draws are 0.071.
    expect(Math.abs(drawn.filter((index) => index >= 500).length / 1000 - 0.725)).toBeLessThan(0.071);
    drawn.forEach((index, i) => {
      const relative = 0.5 + 0.5 * (index < 500 ? 0.1 : 1.9);
      expect(cursor.weights?.[i]).toBeCloseTo(relative ** -0.5, 3);
    });
    const byClass = makeSampler('weighted', { ...task, beta: 1 }).epoch(0);
    // Masses of the classes as above: 1.516 / 900, 1.045 / 90 and 1.004 / 10, their mean 3.565 / 1000.
    const weights = [1.516 / 900, 1.045 / 90, 1.004 / 10].map((mass) => 3.565 / 1000 / mass);
    byClass.take(1000).forEach((index, i) => {
      const relative = (byClass.weights?.[i] ?? NaN) / (weights[labels[index] ?? 0] ?? NaN);
      expect(relative).toBeCloseTo(1, 2);
    });
  });

  it.each([
    ['curriculum', 0],
    ['anti-curriculum', 1],
  ] as const)('%s begins with one end of the losses', (name, end) => {
    const sampler = makeSampler(name, task);
    const all = Int32Array.from(labels, (_, k) => k);
    sampler.observe?.(all, Array.from(all));
    // Half of the way: sqrt(1000/2000 · (1 - 1e-4) + 1e-4) = 0.7072 of the examples are in.
    const ends = [...sampler.epoch(1).take(30)].map((k) => (end === 0 ? k : 999 - k));
    expect(Math.max(...ends)).toBeLessThan(715);
    expect(Math.max(...ends)).toBeGreaterThan(550);
  });

  it('knows all that it names', () => {
    expect(SAMPLER_NAMES).toHaveLength(9);
    for (const name of SAMPLER_NAMES) expect(makeSampler(name, task).size).toBe(1000);
  });
});
