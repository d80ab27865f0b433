import type { SeededRandom } from '@batchwise/sampler';

/**
 * About normal with mean 0 and standard deviation 1, never beyond ±3.5: the sum of four uniforms (Irwin-Hall, variance
 * 4/12), scaled. Used in place of Box-Muller because `Math.log` and `Math.cos` may differ in the last bit between
 * engines, and the same seed must draw the same bytes everywhere.
 */
export function nearlyNormal(random: SeededRandom): number {
  const sum = random.uniform() + random.uniform() + random.uniform() + random.uniform();
  return (sum - 2) * Math.sqrt(3);
}

/** Uniform from `low` up to, not including, `high`. */
export function between(random: SeededRandom, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}
