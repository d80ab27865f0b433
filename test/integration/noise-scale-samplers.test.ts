import { loadEngine } from '@batchwise/backend/node';
import { classBalanced, subset, sequential } from '@batchwise/sampler';
import { bucketed } from '@batchwise/sampler-bucket';
import { lossProportional } from '@batchwise/sampler-weighted';
import { describe, expect, it } from 'vitest';
import {
  EXAMPLES,
  exactGradients,
  exactTruth,
  medianOf,
  momentsOf,
  ratioOf,
  setUp,
  windowsOf,
  type Measurable,
  type Setting,
} from './frozen-network.ts';

/** Steps of one estimate; the median of ten is taken. */
const STEPS = 80;

async function measured(set: Measurable, batchSize = 64): Promise<number> {
  const moments = await momentsOf(set, { batchSize, microBatchSize: batchSize, steps: STEPS * 10 });
  return medianOf(windowsOf(moments, STEPS).map(ratioOf));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const off = (value: number, right: number): number => value / right - 1;

describe('the noise scale that the loop measures on draws by loss', () => {
  it('is that of the weighted gradient; without the weights it is that of another objective', async () => {
    const { tf } = await loadEngine('wasm');
    const set = await setUp(tf);
    const { losses, squaredNorms, squaredNormOfMean } = await exactGradients(set);
    // p = a tenth for all alike and the rest by loss. With w = 1 / (N p) it is (Σ p w² |g|² − |G|²) / |G|².
    const p = losses.map((loss) => (0.1 + (0.9 * loss) / mean(losses)) / EXAMPLES);
    const meanSquare = squaredNorms.reduce((sum, norm, k) => sum + norm / (p[k] ?? NaN), 0) / EXAMPLES ** 2;
    const exact = meanSquare / squaredNormOfMean - 1;

    const byLoss = (beta: number): Measurable => {
      const sampler = lossProportional(EXAMPLES, { seed: 5, beta, staleAfter: Infinity });
      sampler.observe([...losses.keys()], losses);
      return { backend: set.backend, source: set.sourceOf(sampler) };
    };
    expect(Math.abs(off(await measured(byLoss(1)), exact))).toBeLessThan(0.05);
    expect(off(await measured(byLoss(0)), exact)).toBeLessThan(-0.1);
  });
});

/** Noise scale of batches that hold each class alike: variance within the classes, mean over them. */
async function exactByClass({ backend, labels, sourceOf }: Setting): Promise<number> {
  const { squaredNorms } = await exactGradients({ backend, sourceOf });
  const classes = Array.from({ length: 10 }, (_, label) =>
    [...labels.keys()].filter((index) => labels[index] === label),
  );
  let whole: Awaited<ReturnType<typeof backend.gradient>>['gradient'] | undefined;
  let [trace, ofRepeats] = [0, 0];
  for (const members of classes) {
    const { length } = members;
    const batch = await sourceOf(subset(members, sequential(length)))
      .epoch(0)
      .take(length);
    if (!batch) throw new Error('a class without examples');
    const { gradient, loss } = await backend.gradient(batch);
    loss.dispose();
    const spread =
      mean(members.map((index) => squaredNorms[index] ?? NaN)) -
      (await backend.dot(gradient, gradient).read());
    const variance = (spread * length) / (length - 1);
    trace += variance / classes.length;
    // The halves of a batch share no example of a class.
    ofRepeats += variance / length / classes.length ** 2;
    whole = backend.accumulate(whole, gradient, 1 / classes.length);
  }
  if (!whole) throw new Error('no classes');
  const squaredNorm = await backend.dot(whole, whole).read();
  backend.release(whole);
  return trace / (squaredNorm - ofRepeats);
}

describe('the noise scale that the loop measures on balanced batches', () => {
  it('is that within the classes; that of a plain shuffle is larger', async () => {
    const { tf } = await loadEngine('wasm');
    const set = await setUp(tf);
    const exact = await exactByClass(set);
    // Three of each class in each half.
    const source = set.sourceOf(classBalanced(set.labels, { seed: 5 }));
    expect(Math.abs(off(await measured({ backend: set.backend, source }, 60), exact))).toBeLessThan(0.05);
    const { trace, squaredNorm } = await exactTruth(set);
    expect(off(trace / squaredNorm, exact)).toBeGreaterThan(0.3);
  });
});

describe('the noise scale that the loop measures on buckets of like length, where length tells the class', () => {
  it.each([
    // A bucket is sorted: its halves hold different classes, whose difference passes for noise.
    ['half too large where a bucket has several', (label: number, k: number) => 1 + 5 * label + (k % 4), 64],
    // Its halves hold the same class, whose gradient passes for that of all.
    ['a fifth of it where a bucket has one', (label: number) => 1 + label, 16],
  ])('is that of the examples; from the halves of a bucket it is %s', async (_text, lengthOf, batchSize) => {
    const { tf } = await loadEngine('wasm');
    const set = await setUp(tf);
    const { trace, squaredNorm } = await exactTruth(set);
    const lengths = Array.from(set.labels, lengthOf);
    const sampler = bucketed(lengths, { seed: 5, group: { examples: batchSize }, poolSize: EXAMPLES });
    const source = set.sourceOf(sampler);
    const right = await measured({ backend: set.backend, source }, batchSize);
    expect(Math.abs(off(right, trace / squaredNorm))).toBeLessThan(0.05);
    const { size, epoch } = source;
    const naive = await measured({ backend: set.backend, source: { size, epoch } }, batchSize);
    if (batchSize === 64) expect(off(naive, trace / squaredNorm)).toBeGreaterThan(0.5);
    else expect(off(naive, trace / squaredNorm)).toBeLessThan(-0.7);
  });
});
