import { describe, expect, it } from 'vitest';
import { goodput } from '../src/goodput.ts';
import { MCCANDLISH } from '../src/optimizers.ts';
import { explored, T } from './explored.ts';
import { applied, plan, run, throughJson } from './step.ts';

describe('goodput after earlier runs', () => {
  it('starts where earlier runs would have gone, tries nothing, and still notices another machine', () => {
    const rung = (batchSize: number) => ({ batchSize, parts: 1, seconds: T(batchSize), firstSeconds: 0.1 });
    const prior = { stepTimes: [rung(2048), rung(32), rung(128)], noiseScale: 20 };
    const start = goodput({ ...MCCANDLISH, prior }).start(run({ plannedExamples: 1e6 }));
    // √(200 · 60) = 110
    expect(start.plan).toEqual(plan(128));
    expect(start.reason.code).toBe('recorded');
    expect(start.reason.text).toMatch(/^In earlier runs a step of 128 took /);
    expect(start.evidence?.noiseScale).toBe(20);
    const beyond = goodput({ ...MCCANDLISH, prior, priorNoiseScale: 600 }).start(run());
    expect(beyond.plan).toEqual(plan(512));
    // No step of 512 was timed.
    expect(beyond.reason.text).toMatch(/^By the steps of earlier runs one of 512 should take /);
    expect(throughJson(start.state)).toEqual(start.state);
    // Three times as slow throughout: the best size is the same, and no other is tried to know it.
    for (const factor of [1, 3]) {
      let decision = start;
      const codes = new Set<string>();
      for (let i = 0; i < 60; i += 1) {
        const seconds = factor * T(decision.plan.batchSize);
        decision = goodput({ ...MCCANDLISH, prior }).next(
          applied(decision.plan, { seconds, warm: i > 0 }),
          decision.state,
        );
        codes.add(decision.reason.code);
        expect(decision.plan).toEqual(plan(128));
      }
      expect([...codes].sort()).toEqual(['explored', 'start', 'steady']);
      const found = decision.state.timing.times.map(({ batchSize, seconds }) => [batchSize, seconds.at(-1)]);
      expect(found).toEqual([32, 128, 2048].map((size) => [size, expect.closeTo(factor * T(size), 9)]));
    }
  });

  it('explores all the same where earlier runs timed a single size, with their noise scale', () => {
    const prior = {
      stepTimes: [{ batchSize: 32, parts: 1, seconds: 1, firstSeconds: null }],
      noiseScale: 20,
    };
    const start = goodput({ prior }).start(run());
    expect(start.plan).toEqual(plan(32));
    expect(start.reason.code).toBe('start');
    expect(start.state.timing.exploration).not.toBeNull();
    expect(explored({ prior }).plan).toEqual(plan(128));
  });
});
