/*
 * Plugs that break their contract, one way each. Not collected as a test: wrong-plugs.test.ts runs this file by itself
 * and looks that each of them is caught.
 */
import type { BatchController, BatchSource, Decision } from '@batchwise/core';
import { shuffled, type IndexSampler } from '@batchwise/sampler';
import {
  describeBackend,
  describeController,
  describeSampler,
  describeSource,
  listSource,
  QuadraticBackend,
  type QuadraticOptions,
  type ScalarGradient,
} from '@batchwise/testing';

const decide = (batchSize: number): Decision<number> => ({
  plan: { batchSize, microBatchSize: batchSize, learningRateScale: 1 },
  reason: { code: 'planted', text: 'Planted.', numbers: {} },
  measure: ['loss'],
  state: batchSize,
});
const sound: BatchController<number> = {
  name: 'sound',
  measures: ['loss'],
  start: () => decide(8),
  next: (_step, state) => decide(state),
  recover: () => ({ kind: 'giveUp', message: 'No way.' }),
};

describeController('hidden memory', () => {
  let steps = 0;
  return { ...sound, next: () => decide((steps += 1)) };
});
describeController('state lost in JSON', () => ({
  ...sound,
  next: () => ({ ...decide(8), state: Infinity }),
}));
describeController('half an example', () => ({ ...sound, next: () => decide(7.5) }));
describeController('no reason', () => ({
  ...sound,
  start: () => ({ ...decide(8), reason: { code: 'planted', text: '', numbers: {} } }),
}));
describeController('undeclared measurement', () => ({
  ...sound,
  next: () => ({ ...decide(8), measure: ['gradient'] }),
}));

const sampler = shuffled(20, { seed: 1 });
const changed = (over: Partial<IndexSampler>): IndexSampler => ({ ...sampler, ...over });
describeSampler('repeats an example', () =>
  changed({
    epoch: (index, startAt) => {
      const cursor = sampler.epoch(index, startAt);
      return { take: (count) => cursor.take(count).map((i) => (i === 3 ? 4 : i)) };
    },
  }),
);
describeSampler('ignores startAt', () => changed({ epoch: (index) => sampler.epoch(index) }));
describeSampler('short in the middle', () =>
  changed({
    epoch: (index, startAt) => {
      const cursor = sampler.epoch(index, startAt);
      return { take: (count) => cursor.take(Math.min(count, 3)) };
    },
  }),
);
describeSampler('order depends on the cut', () =>
  changed({
    epoch: (index, startAt) => {
      const cursor = sampler.epoch(index, startAt);
      return { take: (count) => cursor.take(count).reverse() };
    },
  }),
);
describeSource(
  'one cursor for all',
  (): BatchSource<readonly number[]> => {
    const source = listSource([1, 2, 3, 4, 5, 6, 7, 8]);
    const shared = source.epoch(0);
    return { ...source, epoch: (index, startAt) => (startAt ? source.epoch(index, startAt) : shared) };
  },
  { idsOf: (batch) => batch },
);

class Planted extends QuadraticBackend {
  constructor(
    readonly wrong: 'sum' | 'dot' | 'leak' | 'uphill' | 'split' | 'classify' | 'snapshot',
    options: QuadraticOptions = { weight: 3 },
  ) {
    super(options);
  }

  override accumulate(
    total: ScalarGradient | undefined,
    part: ScalarGradient,
    weight: number,
  ): ScalarGradient {
    return super.accumulate(total, part, this.wrong === 'sum' ? 1 : weight);
  }

  override dot(a: ScalarGradient, b: ScalarGradient) {
    return this.wrong === 'dot' ? super.dot(a, { ...b, value: Math.abs(b.value) + 1 }) : super.dot(a, b);
  }

  override release(...gradients: readonly ScalarGradient[]): void {
    if (this.wrong !== 'leak') super.release(...gradients);
  }

  override apply(gradient: ScalarGradient, learningRateScale: number): void {
    super.apply(gradient, this.wrong === 'uphill' ? -learningRateScale : learningRateScale);
  }

  override split(batch: readonly number[], size: number): (readonly number[])[] {
    return this.wrong === 'split' ? [batch] : super.split(batch, size);
  }

  override snapshot() {
    const copy = super.snapshot();
    return this.wrong === 'snapshot' ? { ...copy, restore: () => undefined } : copy;
  }

  override classify(error: unknown) {
    return this.wrong === 'classify' ? ('outOfMemory' as const) : super.classify(error);
  }
}
for (const wrong of ['sum', 'dot', 'leak', 'uphill', 'split', 'classify', 'snapshot'] as const)
  describeBackend(`wrong ${wrong}`, () => {
    const backend = new Planted(wrong);
    const batch = (size: number): number[] => Array.from({ length: size }, (_, i) => i / 2);
    return { backend, batch, live: () => backend.live };
  });
