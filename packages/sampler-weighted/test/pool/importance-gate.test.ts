import { seededRandom } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import { addPool, gainThreshold, isWorthSampling, samplingGain } from '../../src/pool/index.ts';
import { range } from '../support.ts';

describe('samplingGain', () => {
  it('is 1 for equal scores and √N where one has all', () => {
    expect(samplingGain([2, 2, 2])).toBeCloseTo(1, 12);
    expect(samplingGain([0, 0, 5, 0])).toBeCloseTo(2, 12);
    expect(samplingGain([0, 0])).toBe(1);
  });

  it('is the formula of the paper', () => {
    // p = 0.1, 0.2, 0.3, 0.4: |p|² = 0.3 and |p − u|² = 0.05.
    expect(samplingGain([1, 2, 3, 4])).toBeCloseTo(1 / Math.sqrt(1 - 0.05 / 0.3), 12);
    expect(samplingGain([1e200, 2e200, 3e200, 4e200])).toBeCloseTo(1 / Math.sqrt(1 - 0.05 / 0.3), 12);
    expect(samplingGain([1e-200, 2e-200, 3e-200, 4e-200])).toBeCloseTo(1 / Math.sqrt(1 - 0.05 / 0.3), 12);
  });

  it('is by how much the second moment of the weighted gradient falls, as a factor on the batch', () => {
    // Gradients of the size of the scores: E[|w g|²] is (Σ s / N)² instead of Σ s² / N.
    const random = seededRandom(3);
    const scores = range(50).map(() => random.uniform() ** 2);
    const mean = scores.reduce((sum, score) => sum + score / 50, 0);
    const square = scores.reduce((sum, score) => sum + score ** 2 / 50, 0);
    expect(samplingGain(scores) ** 2).toBeCloseTo(square / mean ** 2, 10);
  });

  it('takes a score that is not finite for an average one, and refuses one below 0', () => {
    expect(samplingGain([1, 3, NaN, Infinity])).toBeCloseTo(samplingGain([1, 3, 2, 2]), 12);
    expect(samplingGain([NaN])).toBe(1);
    expect(() => samplingGain([1, -1])).toThrow(new RangeError('scores[1] is -1; give scores of 0 or more.'));
    expect(() => samplingGain([-Infinity])).toThrow(
      new RangeError('scores[0] is -Infinity; give scores of 0 or more.'),
    );
    expect(() => samplingGain([])).toThrow(
      new RangeError('There are no scores; give one per example of the pool.'),
    );
  });
});

describe('the gate', () => {
  it('has the threshold of the paper', () => {
    expect(gainThreshold({ poolSize: 384, batchSize: 128 })).toBe(2);
    expect(gainThreshold({ poolSize: 640, batchSize: 128 })).toBeCloseTo(8 / 3, 12);
    expect(() => gainThreshold({ poolSize: 10, batchSize: 11 })).toThrow(
      new RangeError('batchSize is 11; give a number from 1 to poolSize, 10.'),
    );
    expect(() => gainThreshold({ poolSize: 10, batchSize: 0 })).toThrow(
      new RangeError('batchSize is 0; give a number from 1 to poolSize, 10.'),
    );
  });

  it('averages the gains: the first pools alike, then nine tenths of what was', () => {
    const [low, high] = [
      [1, 1, 1, 1],
      [0, 0, 0, 1],
    ];
    let state = addPool(undefined, low);
    expect(state).toEqual({ gain: 1, pools: 1 });
    state = addPool(state, high);
    expect(state).toEqual({ gain: 1.5, pools: 2 });
    for (let pool = 0; pool < 8; pool++) state = addPool(state, low);
    expect(state.gain).toBeCloseTo((9 * 1 + 2) / 10, 12);
    state = addPool(state, high);
    expect(state.gain).toBeCloseTo(0.9 * 1.1 + 0.1 * 2, 12);
    expect(addPool({ gain: 1, pools: 50 }, high, { decay: 0.5 }).gain).toBe(1.5);
    expect(() => addPool(state, low, { decay: 1 })).toThrow(
      new RangeError('decay is 1; give a number from 0 up to 1.'),
    );
  });

  it('opens above the threshold', () => {
    const sizes = { poolSize: 30, batchSize: 10 };
    expect(isWorthSampling({ gain: 2, pools: 9 }, sizes)).toBe(false);
    expect(isWorthSampling({ gain: 2.01, pools: 9 }, sizes)).toBe(true);
  });
});
