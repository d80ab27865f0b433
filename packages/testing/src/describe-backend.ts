import type { Awaitable, Backend } from '@batchwise/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** One backend to be tried, with what the suite cannot know of it. */
export interface BackendFixture<Batch, Gradient> {
  readonly backend: Backend<Batch, Gradient>;
  /** A batch of exactly that many examples, always the same one. */
  readonly batch: (size: number) => Batch;
  /** Device resources that are live at the moment, weights and optimizer state included. */
  readonly live: () => number;
  /** Relative precision of the engine's arithmetic. Default 1e-4. */
  readonly precision?: number;
}

/** What of the contract is tried. */
export interface BackendSuiteOptions {
  /**
   * Whether the device computes. False for one that only checks and counts, such as Dawn's null device: what is read
   * back is then whatever was in a buffer, and only what needs no values is tried. Default true.
   */
  readonly computes?: boolean;
}

/**
 * The contract of a Backend as a vitest suite. It must be a model whose loss is a mean over its examples (no batch
 * normalisation, no dropout), so that micro-batches average to the whole.
 */
export function describeBackend<Batch, Gradient>(
  name: string,
  open: () => Awaitable<BackendFixture<Batch, Gradient>>,
  { computes = true }: BackendSuiteOptions = {},
): void {
  const itComputes = (title: string, test: () => Promise<void>): void => {
    if (computes) it(title, test);
  };
  describe(`${name} keeps the contract of a Backend`, () => {
    let fixture: BackendFixture<Batch, Gradient>;
    let backend: Backend<Batch, Gradient>;
    beforeEach(async () => {
      fixture = await open();
      backend = fixture.backend;
    });
    afterEach(() => backend.endRun());

    const squaredNorm = (gradient: Gradient): Promise<number> => backend.dot(gradient, gradient).read();
    async function mean(size: number, microBatchSize: number): Promise<{ gradient: Gradient; loss: number }> {
      let total: Gradient | undefined;
      let sum = 0;
      for (const part of backend.split(fixture.batch(size), microBatchSize)) {
        const { gradient, loss } = await backend.gradient(part);
        sum += (await loss.read()) * backend.sizeOf(part);
        total = backend.accumulate(total, gradient, backend.sizeOf(part) / size);
      }
      if (total === undefined) throw new Error('split gave no parts');
      return { gradient: total, loss: sum / size };
    }

    it('splits a batch into consecutive parts, the last one smaller', () => {
      const sizes = (size: number, part: number): number[] =>
        backend.split(fixture.batch(size), part).map((batch) => backend.sizeOf(batch));
      expect(sizes(12, 12)).toEqual([12]);
      expect(sizes(12, 5)).toEqual([5, 5, 2]);
      expect(sizes(3, 1)).toEqual([1, 1, 1]);
    });

    itComputes('averages micro-batches to the gradient and loss of the whole', async () => {
      const whole = await mean(12, 12);
      const parts = await mean(12, 5);
      const precision = fixture.precision ?? 1e-4;
      const norm = await squaredNorm(whole.gradient);
      expect(Math.abs(parts.loss - whole.loss)).toBeLessThanOrEqual(precision * Math.abs(whole.loss));
      expect(Math.abs((await squaredNorm(parts.gradient)) - norm)).toBeLessThanOrEqual(precision * norm);
      const inner = await backend.dot(whole.gradient, parts.gradient).read();
      expect(Math.abs(inner - norm)).toBeLessThanOrEqual(precision * norm);
      backend.release(whole.gradient, parts.gradient);
    });

    itComputes('takes dot products that are symmetric and linear', async () => {
      const [first, second] = backend.split(fixture.batch(12), 6);
      if (!first || !second) throw new Error('split gave fewer than two parts');
      const [a, b] = [await backend.gradient(first), await backend.gradient(second)];
      a.loss.dispose();
      b.loss.dispose();
      const [aa, bb] = [await squaredNorm(a.gradient), await squaredNorm(b.gradient)];
      const ab = await backend.dot(a.gradient, b.gradient).read();
      const within = (fixture.precision ?? 1e-4) * (aa + bb);
      expect(Math.abs((await backend.dot(b.gradient, a.gradient).read()) - ab)).toBeLessThanOrEqual(within);
      const mixed = backend.accumulate(backend.accumulate(undefined, a.gradient, 0.5), b.gradient, 2);
      const expected = aa / 4 + 2 * ab + 4 * bb;
      expect(Math.abs((await squaredNorm(mixed)) - expected)).toBeLessThanOrEqual(4 * within);
      backend.release(mixed);
    });

    itComputes('merges two parts, where it can, as it accumulates and multiplies them', async () => {
      if (!backend.merge) return;
      const [first, second] = backend.split(fixture.batch(12), 8);
      if (!first || !second) throw new Error('split gave fewer than two parts');
      const parts = async () => {
        const [a, b] = [await backend.gradient(first), await backend.gradient(second)];
        a.loss.dispose();
        b.loss.dispose();
        return [a.gradient, b.gradient] as const;
      };
      const [a, b] = await parts();
      const [aa, bb] = [await squaredNorm(a), await squaredNorm(b)];
      const ab = await backend.dot(a, b).read();
      const one = backend.accumulate(backend.accumulate(undefined, a, 2 / 3), b, 1 / 3);
      const { total, products } = backend.merge(await parts(), [2 / 3, 1 / 3]);
      const within = (fixture.precision ?? 1e-4) * (aa + bb);
      const [ofA, ofB, ofBoth, ...others] = Array.from(await products.read());
      expect(others).toEqual([]);
      expect(Math.abs((ofA ?? NaN) - aa)).toBeLessThanOrEqual(within);
      expect(Math.abs((ofB ?? NaN) - bb)).toBeLessThanOrEqual(within);
      expect(Math.abs((ofBoth ?? NaN) - ab)).toBeLessThanOrEqual(within);
      const norm = await squaredNorm(one);
      expect(Math.abs((await squaredNorm(total)) - norm)).toBeLessThanOrEqual(within);
      expect(Math.abs((await backend.dot(total, one).read()) - norm)).toBeLessThanOrEqual(within);
      const before = fixture.live();
      const unread = backend.merge(await parts(), [0.5, 0.5]);
      unread.products.dispose();
      unread.products.dispose();
      backend.release(unread.total);
      expect(fixture.live()).toBe(before);
      backend.release(total, one);
    });

    itComputes('lowers the loss along the gradient, and not at a scale of zero', async () => {
      const { gradient, loss } = await mean(12, 12);
      await backend.apply(gradient, 0);
      const still = await mean(12, 12);
      expect(still.loss).toBeCloseTo(loss, 6);
      await backend.apply(gradient, 0.1);
      const lower = await mean(12, 12);
      expect(lower.loss).toBeLessThan(loss);
      backend.release(gradient, still.gradient, lower.gradient);
    });

    itComputes('evaluates to the loss that it trains on', async () => {
      const { gradient, loss } = await mean(12, 12);
      const evaluation = await backend.evaluate(fixture.batch(12));
      expect(await evaluation.loss.read()).toBeCloseTo(loss, 5);
      for (const metric of Object.values(evaluation.metrics))
        expect(Number.isFinite(await metric.read())).toBe(true);
      backend.release(gradient);
    });

    it('frees all that it handed out, also twice', async () => {
      const warm = await mean(12, 5);
      await backend.apply(warm.gradient, 0.1);
      backend.release(warm.gradient);
      const before = fixture.live();
      const { gradient } = await mean(12, 5);
      await backend.apply(gradient, 0.1);
      const {
        gradient: other,
        loss,
        exampleLosses,
      } = await backend.gradient(fixture.batch(12), {
        exampleLosses: backend.can.has('exampleLosses'),
      });
      exampleLosses?.dispose();
      loss.dispose();
      backend.release(other);
      const unread = backend.dot(gradient, gradient);
      const evaluation = await backend.evaluate(fixture.batch(12));
      for (const value of [unread, evaluation.loss, ...Object.values(evaluation.metrics)]) value.dispose();
      unread.dispose();
      backend.release(gradient);
      backend.release(gradient);
      expect(fixture.live()).toBe(before);
    });

    itComputes('gives the loss of each example where it can and is asked', async () => {
      if (!backend.can.has('exampleLosses')) return;
      const [first, second] = backend.split(fixture.batch(7), 5);
      if (!first || !second) throw new Error('split gave fewer than two parts');
      const whole = await backend.gradient(fixture.batch(7), { exampleLosses: true });
      const [a, b] = [await backend.gradient(first, { exampleLosses: true }), await backend.gradient(second)];
      expect(b.exampleLosses).toBeUndefined();
      const losses = Array.from((await whole.exampleLosses?.read()) ?? []);
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / 7;
      expect(losses).toHaveLength(7);
      expect(mean).toBeCloseTo(await whole.loss.read(), 5);
      const lossesOfFirst = Array.from((await a.exampleLosses?.read()) ?? []);
      losses.slice(0, 5).forEach((loss, i) => expect(lossesOfFirst[i]).toBeCloseTo(loss, 5));
      a.loss.dispose();
      b.loss.dispose();
      backend.release(whole.gradient, a.gradient, b.gradient);
    });

    itComputes(
      'goes back to a copy of the weights as if nothing had happened since, where it makes copies',
      async () => {
        if (!backend.snapshot) return;
        const step = async (): Promise<number> => {
          const { gradient, loss } = await mean(12, 12);
          await backend.apply(gradient, 0.1);
          backend.release(gradient);
          return loss;
        };
        const empty = await backend.snapshot();
        const fromStart = [await step(), await step()];
        const before = fixture.live();
        const copy = await backend.snapshot();
        const first = [await step(), await step(), await step()];
        for (const again of [1, 2]) {
          await copy.restore();
          // The optimizer's memory is back as well, or the second and third loss would differ.
          expect([await step(), await step(), await step()], `restored ${again} times`).toEqual(first);
        }
        copy.dispose();
        copy.dispose();
        expect(fixture.live()).toBe(before);
        await empty.restore();
        expect([await step(), await step()]).toEqual(fromStart);
        empty.dispose();
      },
    );

    it('takes an error that is not its own for none of its failures', () => {
      expect(backend.classify(new Error('planted by the suite'))).toBe('other');
    });
  });
}
