import type { Json } from '@batchwise/core';
import { describe, expect, it } from 'vitest';
import { sourceChecks } from './describe-source.ts';

/** A position in one epoch, by shape. */
interface Cursor {
  take(count: number): Int32Array;
  readonly weights?: Float32Array | undefined;
}

/** An index sampler, by shape: what the sampler packages export. */
interface Sampler {
  readonly size: number;
  readonly population?: number;
  readonly independent?: Sampler;
  epoch(index: number, startAt?: number): Cursor;
  observe?(indices: ArrayLike<number>, losses: ArrayLike<number>): void;
  state?(): Json;
}

/** What the suite cannot know of a sampler. */
export interface SamplerSuite {
  /** False where an epoch may repeat examples or leave some out. Default true. */
  readonly eachOnce?: boolean;
}

/** Indices and importance weights of all that is left in an epoch, asked for in the given sizes, over and over. */
function drain(cursor: Cursor, counts: readonly number[]): { indices: number[]; weights: number[] } {
  const indices: number[] = [];
  const weights: number[] = [];
  for (let turn = 0; ; turn++) {
    const part = cursor.take(counts[turn % counts.length] ?? 1);
    if (part.length === 0) return { indices, weights };
    indices.push(...part);
    weights.push(...(cursor.weights ?? part.map(() => 1)));
    expect(weights.length, 'importance weights of the latest take').toBe(indices.length);
  }
}

const throughJson = <T extends Json>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const ascending = (a: number, b: number): number => a - b;

/** Losses that differ between examples and lie on both sides of 1. */
const lossesOf = (indices: ArrayLike<number>): number[] =>
  Array.from(indices, (index) => 0.1 + ((index * 7) % 11) / 4);

/**
 * The contract of an index sampler as a vitest suite: what a source must keep, sound indices and importance weights,
 * and, for a sampler with `observe`, that its order depends on what was observed and where, and survives JSON.
 *
 * @param make the same sampler at each call, of at least two examples; from a state, where one is given
 */
export function describeSampler<State extends Json = Json>(
  name: string,
  make: (state?: State) => Sampler,
  { eachOnce = true }: SamplerSuite = {},
): void {
  describe(`${name} keeps the contract of an IndexSampler`, () => {
    sourceChecks(() => asSource(make()), { idsOf: (indices) => [...indices], eachOnce });

    it('gives indices within its population', () => {
      const sampler = make();
      const { indices } = drain(sampler.epoch(3), [10]);
      const population = sampler.population ?? sampler.size;
      expect(indices.filter((index) => index < 0 || index >= population)).toEqual([]);
    });

    it('gives arrays that are the caller’s own', () => {
      const sampler = make();
      const whole = drain(sampler.epoch(0), [sampler.size]).indices;
      const cursor = sampler.epoch(0);
      const first = cursor.take(1);
      expect(first.buffer.byteLength).toBe(4);
      first.fill(-1);
      expect(drain(cursor, [sampler.size]).indices).toEqual(whole.slice(1));
      expect(drain(sampler.epoch(0), [sampler.size]).indices).toEqual(whole);
    });

    it('refuses epochs, starts and counts that make no sense', () => {
      const sampler = make();
      for (const epoch of [-1, 0.5, NaN]) expect(() => sampler.epoch(epoch)).toThrow(RangeError);
      for (const startAt of [-1, 0.5, NaN, sampler.size + 1])
        expect(() => sampler.epoch(0, startAt)).toThrow(RangeError);
      const cursor = sampler.epoch(0);
      for (const count of [0, -1, 1.5, NaN]) expect(() => cursor.take(count)).toThrow(RangeError);
      expect(cursor.take(1)).toHaveLength(1);
    });

    it('gives importance weights that belong to their examples, however it is cut', () => {
      const sampler = make();
      const whole = drain(sampler.epoch(1), [sampler.size]);
      expect(whole.weights.filter((weight) => !(weight > 0 && Number.isFinite(weight)))).toEqual([]);
      expect(drain(sampler.epoch(1), [1, 5, 2])).toEqual(whole);
      expect(drain(sampler.epoch(1, 1), [3]).weights).toEqual(whole.weights.slice(1));
    });

    if (make().independent) {
      it('has independent draws, as many as its own and of the same examples', () => {
        const { size, population = size, independent, ...sampler } = make();
        expect(independent?.size).toBe(size);
        expect(independent?.population ?? independent?.size).toBe(population);
        const draws = independent ? drain(independent.epoch(3), [7]).indices : [];
        expect(draws.filter((index) => index < 0 || index >= population)).toEqual([]);
        expect(draws).toHaveLength(size);
        const own = drain(sampler.epoch(3), [7]).indices;
        if (eachOnce) expect(draws.toSorted(ascending)).toEqual(own.toSorted(ascending));
      });
    }

    if (make().observe) adaptiveChecks(make);
  });
}

function asSource(sampler: Sampler) {
  return {
    size: sampler.size,
    epoch(index: number, startAt?: number) {
      const cursor = sampler.epoch(index, startAt);
      return {
        take(count: number) {
          const indices = cursor.take(count);
          return indices.length === 0 ? undefined : indices;
        },
      };
    },
  };
}

function adaptiveChecks<State extends Json>(make: (state?: State) => Sampler): void {
  /** Epoch 0 up to `position`, with its losses told in parts of `counts`. */
  const trained = (position: number) => {
    const sampler = make();
    const cursor = sampler.epoch(0);
    for (let at = 0; at < position;) {
      const indices = cursor.take(Math.min(3, position - at));
      sampler.observe?.(indices, lossesOf(indices));
      at += indices.length;
    }
    return { sampler, cursor };
  };
  const middle = Math.ceil(make().size / 2);

  it('goes on from its state in the middle of an epoch as if it had not stopped', () => {
    const { sampler, cursor } = trained(middle);
    const state = sampler.state?.();
    expect(state, 'a sampler with observe has a state').toBeDefined();
    if (state === undefined) return;
    const resumed = make(throughJson(state) as State);
    const cursors = [cursor, resumed.epoch(0, middle)];
    for (;;) {
      const [one = [], other = []] = cursors.map((each) => each.take(2));
      expect([...other]).toEqual([...one]);
      if (one.length === 0) break;
      for (const each of [sampler, resumed]) each.observe?.(one, lossesOf(one));
    }
    expect(drain(resumed.epoch(1), [4])).toEqual(drain(sampler.epoch(1), [4]));
    expect(resumed.state?.()).toEqual(sampler.state?.());
  });

  it('depends on what was observed and when, not on how the rest is cut', () => {
    const whole = drain(trained(middle).cursor, [1_000_000]);
    expect(drain(trained(middle).cursor, [1])).toEqual(whole);
    expect(drain(trained(middle).cursor, [2, 7])).toEqual(whole);
    expect(drain(trained(middle).sampler.epoch(0, middle), [3])).toEqual(whole);
  });

  it('learns only from what it is told: reading changes nothing', () => {
    const sampler = make();
    const before = throughJson(sampler.state?.() ?? null);
    drain(sampler.epoch(0), [3]);
    expect(sampler.state?.()).toEqual(before);
  });

  it('hands out a state that is JSON and a copy, and leaves the one it is given alone', () => {
    const { sampler } = trained(middle);
    const state = sampler.state?.() ?? null;
    const kept = throughJson(state);
    expect(kept).toEqual(state);
    const resumed = make(state as State);
    const indices = resumed.epoch(0, middle).take(1);
    for (const each of [sampler, resumed]) each.observe?.(indices, [3.5]);
    expect(state).toEqual(kept);
  });

  it('leaves out losses that are not finite', () => {
    const { sampler } = trained(middle);
    const [index = 0] = sampler.epoch(0).take(1);
    sampler.observe?.([index, index, index], [NaN, Infinity, -Infinity]);
    const state = sampler.state?.() ?? null;
    expect(throughJson(state)).toEqual(state);
    expect(drain(sampler.epoch(1), [5])).toEqual(drain(trained(middle).sampler.epoch(1), [5]));
  });

  it('refuses losses that belong to no example, and takes none of them in', () => {
    const { sampler } = trained(middle);
    const [index = 0] = sampler.epoch(0).take(1);
    const before = throughJson(sampler.state?.() ?? null);
    expect(() => sampler.observe?.([index], [])).toThrow(RangeError);
    expect(() => sampler.observe?.([index, -1], [9, 1])).toThrow(RangeError);
    expect(() => sampler.observe?.([index, 2 ** 31], [9, 1])).toThrow(RangeError);
    expect(sampler.state?.()).toEqual(before);
  });
}
