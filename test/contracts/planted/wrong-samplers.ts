/*
 * Samplers that break their contract, one way each; see wrong-plugs.ts.
 */
import {
  sequential,
  shuffled,
  type AdaptiveSampler,
  type IndexCursor,
  type IndexSampler,
} from '@batchwise/sampler';
import { lossProportional, weighted, type ScoresState } from '@batchwise/sampler-weighted';
import { describeSampler } from '@batchwise/testing';

const repeats = { eachOnce: false };
const order = shuffled(20, { seed: 1 });

describeSampler('index outside its population', () => ({ ...order, population: 19 }));
describeSampler('shared memory', (): IndexSampler => {
  const whole = order.epoch(0).take(20);
  return {
    ...order,
    epoch(index, startAt) {
      const positions = sequential(20).epoch(index, startAt);
      return {
        take(count) {
          const [from = 20] = positions.take(count);
          return whole.subarray(from, from + count);
        },
      };
    },
  };
});
describeSampler('independent draws of fewer examples', () => ({
  ...order,
  independent: shuffled(19, { seed: 1 }),
}));
describeSampler('independent draws that repeat an example', () => ({
  ...order,
  independent: {
    ...order,
    epoch: (index, startAt) => {
      const cursor = order.epoch(index, startAt);
      return { take: (count) => cursor.take(count).map((i) => (i === 3 ? 4 : i)) };
    },
  },
}));
describeSampler('takes half an example', () => ({
  ...order,
  epoch: (index, startAt) => {
    const cursor = order.epoch(index, startAt);
    return { take: (count) => cursor.take(Math.ceil(count)) };
  },
}));
describeSampler(
  'weights of another example',
  () => {
    const sampler = weighted([1, 2, 3, 4, 5, 6], { seed: 1, beta: 1 });
    return {
      ...sampler,
      epoch: (index, startAt) => {
        const cursor = sampler.epoch(index, startAt);
        return {
          take: (count) => cursor.take(count),
          get weights() {
            return cursor.weights?.reverse();
          },
        };
      },
    };
  },
  repeats,
);

/** A sound sampler that learns, changed. */
const learning =
  (change: (sampler: AdaptiveSampler<ScoresState>) => Partial<AdaptiveSampler<ScoresState>>) =>
  (state?: ScoresState): AdaptiveSampler<ScoresState> => {
    const sampler = lossProportional(20, { seed: 1, state });
    return { ...sampler, ...change(sampler) };
  };
const reading = (cursor: IndexCursor, each: (indices: Int32Array) => void): IndexCursor => ({
  take(count) {
    const indices = cursor.take(count);
    each(indices);
    return indices;
  },
});

describeSampler(
  'state left behind',
  learning(({ state }) => ({ state: () => ({ ...state(), scores: state().scores.map(() => null) }) })),
  repeats,
);
describeSampler(
  'learns by the batch',
  learning((sampler) => ({
    epoch: (index, startAt) =>
      reading(sampler.epoch(index, startAt), (indices) => {
        if (sampler.state().told > 0) sampler.observe(indices.subarray(0, 1), indices.length > 0 ? [9] : []);
      }),
  })),
  repeats,
);
describeSampler(
  'learns by reading',
  learning((sampler) => ({
    epoch: (index, startAt) =>
      reading(sampler.epoch(index, startAt), (indices) =>
        sampler.observe(indices, new Float32Array(indices.length)),
      ),
  })),
  repeats,
);
describeSampler(
  'hands out its own memory',
  learning(({ observe, state }) => {
    const scores: (number | null)[] = [...state().scores];
    return {
      observe(indices, losses) {
        observe(indices, losses);
        scores.splice(0, 20, ...state().scores);
      },
      state: () => ({ ...state(), scores }),
    };
  }),
  repeats,
);
describeSampler(
  'learns from what is not finite',
  learning(({ observe }) => ({
    observe: (indices, losses) =>
      observe(
        indices,
        Array.from(losses, (loss) => (Number.isFinite(loss) ? loss : 99)),
      ),
  })),
  repeats,
);
describeSampler(
  'takes in half of what it refuses',
  learning(({ observe }) => ({
    observe: (indices, losses) =>
      Array.from(indices).forEach((index, k) => observe([index], Array.from(losses).slice(k, k + 1))),
  })),
  repeats,
);
