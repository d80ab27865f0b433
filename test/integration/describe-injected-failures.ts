import type { LayersTf } from '@batchwise/backend/node';
import { expectNoLeak } from '@batchwise/testing';
import { policy } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';
import { drawsOf, forgetful, furthest, parts, trainedRun, type Injection } from './injected-failures.ts';

/** The engine that is tried, and how. */
export interface InjectedFailures {
  readonly load: () => Promise<LayersTf>;
  /** Trainings of four failures each. */
  readonly trainings: number;
  /** A step that failed may run as a graph the next time, or not; between the two is a rounding. */
  readonly sameSums: number;
}

/** So many steps of `steps`, in order, drawn without replacement. */
function drawnSteps(draw: () => number, { count, steps }: { count: number; steps: number }): number[] {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(Math.floor(draw() * steps));
  return [...drawn].sort((a, b) => a - b);
}

/** Float32 sums of 32 gradients in another order, over some hundred updates of at most 0.002 each. */
const SUMMATION_ORDER = 2e-4;

/** 200 failures in one training, and four in each of many: nothing is lost, nothing is left. */
export function describeInjectedFailures(
  name: string,
  { load, trainings, sameSums }: InjectedFailures,
): void {
  describe(`injected out-of-memory failures on ${name}`, () => {
    it('at 200 random steps of one training change nothing but the sums', async () => {
      const tf = await load();
      const draw = drawsOf(2024);
      const steps = 320;
      const injections = drawnSteps(draw, { count: 200, steps }).map((step) => ({
        step,
        part: draw() < 0.5 ? 0 : 1,
        afterAllocations: Math.floor(draw() * 12),
      }));
      const failed = new Set(injections.map(({ step }) => step));
      const run = await expectNoLeak(tf, () => trainedRun(tf, forgetful(), { steps, injections }));
      expect(run.failures).toEqual(Array.from({ length: 200 }, () => 'outOfMemory'));
      expect(run.examples).toBe(32 * steps);
      const expected = Array.from({ length: steps }, (_, step) => (failed.has(step) ? 8 : 16));
      expect(run.microBatchSizes).toEqual(expected);
      // Smaller from the start at just these steps: the same sums in the same order.
      const same = await trainedRun(
        tf,
        parts((step) => expected[step] ?? 16),
        { steps },
      );
      expect(furthest(run.weights, same.weights)).toBeLessThanOrEqual(sameSums);
      const smaller = await trainedRun(
        tf,
        parts(() => 8),
        { steps },
      );
      expect(furthest(run.weights, smaller.weights)).toBeLessThan(SUMMATION_ORDER);
      const untrained = await trainedRun(
        tf,
        parts(() => 8),
        { steps: 1 },
      );
      expect(furthest(run.weights, untrained.weights)).toBeGreaterThan(0.05);
    });

    it(`in ${trainings} trainings under the ceiling, four in each, end as from the start`, async () => {
      const tf = await load();
      const steps = 16;
      const draw = drawsOf(77);
      const smaller = await trainedRun(
        tf,
        parts(() => 2),
        { steps },
      );
      let failures = 0;
      for (let i = 0; i < trainings; i += 1) {
        // 32 → 16 → 8 → 4 → 2: from the second failure on there is a second part, which may be the one that fails.
        const injections: Injection[] = drawnSteps(draw, { count: 4, steps }).map((step, nth) => ({
          step,
          part: nth === 0 || draw() < 0.5 ? 0 : 1,
          afterAllocations: Math.floor(draw() * 12),
        }));
        const controller = policy('fixed', { batchSize: 32 });
        const run = await expectNoLeak(tf, () => trainedRun(tf, controller, { steps, injections }));
        failures += run.failures.length;
        const size = (step: number) => 32 >> injections.filter((failure) => failure.step <= step).length;
        const sizes = Array.from({ length: steps }, (_, step) => size(step));
        expect(run).toMatchObject({ examples: 32 * steps, microBatchSizes: sizes });
        expect(furthest(run.weights, smaller.weights)).toBeLessThan(SUMMATION_ORDER);
      }
      expect(failures).toBe(4 * trainings);
    });

    it('goes up again 200 steps after memory ran out', async () => {
      const tf = await load();
      const steps = 260;
      const injections = [{ step: 20, part: 0, afterAllocations: 3 }];
      const controller = policy('fixed', { batchSize: 32 });
      const run = await expectNoLeak(tf, () => trainedRun(tf, controller, { steps, injections }));
      const expected = Array.from({ length: steps }, (_, step) => (step < 20 || step >= 220 ? 32 : 16));
      expect(run.microBatchSizes).toEqual(expected);
      const same = await trainedRun(
        tf,
        parts((step) => expected[step] ?? 32),
        { steps },
      );
      expect(furthest(run.weights, same.weights)).toBeLessThanOrEqual(sameSums);
    });
  });
}
