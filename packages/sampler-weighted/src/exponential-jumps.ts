import { MinHeap, type SeededRandom } from '@batchwise/sampler';

/**
 * `count` indices drawn one after the other without replacement, each in proportion to the weights of those that are
 * left, in the order in which they were drawn.
 *
 * The race of exponential clocks: index k rings at Exp(1) / w_k, and the first `count` to ring are taken (Efraimidis and
 * Spirakis, "Weighted random sampling with a reservoir", Inf. Process. Lett. 97, 2006, whose keys u^(1/w) are exp(−time);
 * times do not underflow). Once `count` clocks are known, those that would ring too late are jumped over: the weight that
 * passes until one rings before the latest time T known is Exp(1) / T, so that about count · ln(n / count) random
 * numbers do (their algorithm A-ExpJ).
 */
export function exponentialJumps(weights: Float64Array, count: number, random: SeededRandom): Int32Array {
  const exponential = () => -Math.log1p(-random.uniform());
  // The latest first: keys are the negative times.
  const taken = new MinHeap(count);
  for (let k = 0; k < count; k++) taken.add(-exponential() / (weights[k] ?? 0), k);
  let jump = exponential() / -taken.firstKey;
  for (let k = count; k < weights.length; k++) {
    const weight = weights[k] ?? 0;
    jump -= weight;
    if (jump > 0) continue;
    // A time of this clock, given that it is before T.
    const time = -Math.log1p(random.uniform() * Math.expm1(taken.firstKey * weight)) / weight;
    taken.take();
    taken.add(-time, k);
    jump = exponential() / -taken.firstKey;
  }
  const order = new Int32Array(count);
  for (let place = count - 1; place >= 0; place--) order[place] = taken.take();
  return order;
}
