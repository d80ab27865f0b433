import type { AppliedStep, Decision } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { noiseBelief, noiseOptions } from '../src/noise-watch.ts';
import { noiseScale, type NoiseScalePolicyOptions, type NoiseScalePolicyState } from '../src/noise-scale.ts';
import { policy } from '../src/policy.ts';
import { gaussianMoments, normal, runPlant, uniform, type Plant } from './plant.ts';
import { applied, failed, plan, run, throughJson } from './step.ts';

/** Steps that are all measured at this noise scale. */
function measured(phi: number, steps: number, options: NoiseScalePolicyOptions = {}) {
  const controller = noiseScale({ batchSize: 64, ...options });
  const draw = normal(uniform(4));
  const decisions: Decision<NoiseScalePolicyState>[] = [controller.start(run())];
  for (let i = 0; i < steps; i += 1) {
    const now = decisions.at(-1);
    if (!now) break;
    const { batchSize } = now.plan;
    const half = batchSize / 2;
    const more: Partial<AppliedStep> = {
      seconds: 2e-3 + 1e-5 * batchSize,
      gradient: gaussianMoments([half, half], phi, draw),
    };
    decisions.push(controller.next(applied(now.plan, more), throughJson(now.state)));
  }
  return decisions;
}

const sizes = (decisions: readonly Decision<NoiseScalePolicyState>[]) =>
  decisions.map(({ plan: { batchSize } }) => batchSize);

describe('noiseScale', () => {
  it('goes to the size nearest to the noise scale, by twos, every ten steps', () => {
    const found = sizes(measured(500, 60));
    expect(found.slice(0, 10)).toEqual(Array(10).fill(64));
    expect(found.slice(10, 20)).toEqual(Array(10).fill(128));
    expect(found.slice(20, 30)).toEqual(Array(10).fill(256));
    expect(found.at(-1)).toBe(512);
  });

  it('is as sure of a move as of the whole way', () => {
    const move = measured(500, 10).at(-1);
    if (!move) throw new Error('No decision.');
    const { noiseScale: phi, relativeError } = noiseBelief(move.state.watch, noiseOptions({}));
    expect(move.plan.batchSize).toBe(128);
    expect(phi).toBeGreaterThan(256);
    const share = Math.log(2) / Math.log(phi / 64);
    expect(move.evidence?.logBatchSizeError).toBeCloseTo(relativeError * share, 12);
    // Without a measurement the way from 64 to the prior of 600 is certain by a factor of e.
    const start = measured(500, 0)[0]?.evidence;
    expect(start?.logBatchSizeError).toBe(1);
  });

  it('shrinks too, and heeds k', () => {
    expect(sizes(measured(17, 60)).at(-1)).toBe(16);
    expect(sizes(measured(500, 60, { multiple: 0.25 })).at(-1)).toBe(128);
    const last = measured(500, 60, { multiple: 0.25 });
    const move = last.find(({ reason }) => reason.code === 'noise-scale');
    expect(move?.reason.text).toMatch(
      /^The noise scale is about \d+ examples; 128 is the size nearest to 0\.25 times that/,
    );
    expect(move?.evidence?.logBatchSizeError).toBeGreaterThan(0);
  });

  it('stays where it is until it has measured, and does not shrink while the gradient drowns', () => {
    const controller = noiseScale({ batchSize: 2048 });
    let decision = controller.start(run());
    const draw = normal(uniform(5));
    for (let i = 0; i < 30; i += 1)
      decision = controller.next(applied(decision.plan, { seconds: 1 }), decision.state);
    expect(decision.plan).toEqual(plan(2048));
    for (let i = 0; i < 30; i += 1) {
      const gradient = gaussianMoments([8, 8], 1e6, draw);
      decision = controller.next(applied(decision.plan, { seconds: 1, gradient }), decision.state);
    }
    expect(decision.plan.batchSize).toBeGreaterThanOrEqual(2048);
  });

  it('measures as often as it may cost, never a batch of one', () => {
    const { steps } = runPlant(
      noiseScale({ batchSize: 64 }),
      { fixedSeconds: 2e-3, secondsPerExample: 1e-5, noiseScale: () => 64, criticalBatchFactor: 1 },
      { ...run(), progress: 1000 },
    );
    const late = steps.slice(200);
    const share = late.filter(({ measured: was }) => was).length / late.length;
    expect(share).toBeGreaterThan(0.005);
    expect(share).toBeLessThan(0.03);
    const one = noiseScale({ batchSize: 1, maxBatchSize: 1 });
    let decision = one.start(run());
    for (let i = 0; i < 10; i += 1) {
      decision = one.next(applied(decision.plan), decision.state);
      expect(decision.measure).not.toContain('gradient');
    }
  });

  it('starts at the noise scale of earlier runs', () => {
    const start = noiseScale({ prior: { stepTimes: [], noiseScale: 300 } }).start(run());
    expect(start.plan).toEqual(plan(256));
    expect(start.reason).toMatchObject({
      code: 'recorded',
      text: expect.stringContaining('was, in earlier runs, about 300'),
    });
    expect(noiseScale().start(run()).plan).toEqual(plan(32));
  });

  it('runs up to its bound where the rate does not follow (φ ∝ B/η): the root of goodput does not', () => {
    // φ = 2 B: every size is too small by two.
    const plant: Plant = {
      fixedSeconds: 2e-3,
      secondsPerExample: 1e-5,
      noiseScale: ({ batchSize }) => 2 * batchSize,
      criticalBatchFactor: 3,
    };
    const info = { ...run(), progress: 700 };
    const last = (name: 'noiseScale' | 'goodput') =>
      runPlant(policy(name, { learningRateRule: 'none' }), plant, info).steps.at(-1)?.plan.batchSize ?? 0;
    expect(last('noiseScale')).toBe(2048);
    expect(last('goodput')).toBeLessThan(2048);
  });

  it('ends the run on failures, and refuses numbers out of range', () => {
    const { state } = noiseScale().start(run());
    expect(noiseScale().recover(failed('nonFinite', plan(32)), state).kind).toBe('giveUp');
    expect(() => noiseScale({ multiple: 0 })).toThrow('multiple is 0');
    expect(() => noiseScale({ maxMove: 1 })).toThrow('maxMove is 1');
    expect(() => noiseScale({ decideEverySteps: 0 })).toThrow('decideEverySteps is 0');
    expect(() => noiseScale({ horizon: 0 })).toThrow('horizon is 0');
  });
});
