import { GradientMeter, GradientSum, train } from '@batchwise/core';
import { listSource, QuadraticBackend } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';
import { always, decide, recorder } from './drive.ts';
import { MergingBackend } from './merging-backend.ts';

describe('a measured step of two parts', () => {
  const examples = listSource([1, 2, 3, 4, 5, 6, 7]);
  const run = async (backend: QuadraticBackend, batchSize = 7) => {
    const controller = always(decide({ batchSize }, ['loss', 'gradient']));
    const events = recorder();
    await train({ backend, source: examples, controller, observers: [events], stop: { epochs: 2 } });
    const moments = events.of('stepFinished').map(({ outcome }) => outcome.gradient);
    return { moments, weight: backend.weight, live: backend.live };
  };

  it('is merged where the backend can, to the same moments and weights', async () => {
    const [merging, plain] = [new MergingBackend(), new QuadraticBackend()];
    const [merged, oneByOne] = [await run(merging), await run(plain)];
    // Parts of 4 and 3 at weight 0: means −2.5 and −6, so 12 · 15 = 180.
    expect(merged.moments[0]).toEqual({ sizes: [4, 3], squaredNorms: [6.25, 36], crossProduct: 180 });
    expect(merged.weight).toBe(oneByOne.weight);
    expect(merged.moments.map((moment) => moment?.squaredNorms)).toEqual(
      oneByOne.moments.map((moment) => moment?.squaredNorms),
    );
    expect(merged.moments[1]?.crossProduct).toBeCloseTo(oneByOne.moments[1]?.crossProduct ?? NaN, 9);
    expect([merging.merges, merged.live]).toEqual([2, 0]);
  });

  it('is not where a penalty must be told from the examples', async () => {
    const penalty = { penalty: 0.5 };
    const [merging, plain] = [new MergingBackend(penalty), new QuadraticBackend(penalty)];
    expect(await run(merging)).toEqual(await run(plain));
    expect(merging.merges).toBe(0);
  });

  it('is not where a single example is left', async () => {
    const merging = new MergingBackend();
    const { moments } = await run(merging, 3);
    expect(moments.map((moment) => moment?.sizes)).toEqual([
      [2, 1],
      [2, 1],
      undefined,
      [2, 1],
      [2, 1],
      undefined,
    ]);
    expect(merging.merges).toBe(4);
  });
});

describe('GradientSum', () => {
  const gradientOf = (backend: QuadraticBackend, batch: readonly number[]) => {
    const { gradient, loss } = backend.gradient(batch);
    loss.dispose();
    return gradient;
  };
  const opened = (backend: QuadraticBackend) => {
    const meter = new GradientMeter(backend, () => 0);
    return { meter, sum: new GradientSum(backend, 7, meter) };
  };

  it('hands over what there is of a batch that will not be finished', () => {
    const backend = new MergingBackend();
    const { meter, sum } = opened(backend);
    sum.add(gradientOf(backend, [1, 2, 3, 4]), 4, true);
    const part = sum.take();
    expect(part?.value).toBeCloseTo((4 / 7) * -2.5, 12);
    expect(sum.take()).toBeUndefined();
    if (part) backend.release(part);
    sum.dispose();
    meter.dispose();
    expect(backend.live).toBe(0);
  });

  it('frees the first of two parts where the second never comes', () => {
    const backend = new MergingBackend();
    const { meter, sum } = opened(backend);
    sum.add(gradientOf(backend, [1]), 1, true);
    expect(backend.live).toBe(1);
    sum.dispose();
    meter.dispose();
    expect(backend.live).toBe(0);
  });
});
