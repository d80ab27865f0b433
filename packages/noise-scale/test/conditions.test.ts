import { seededRandom } from '@batchwise/sampler';
import { describe, expect, it } from 'vitest';
import {
  addSample,
  effectiveSize,
  momentsOf,
  type GradientMoments,
  type NoiseScaleState,
} from '../src/index.ts';
import { dot, mean, meanVector, median, normalNumbers, type Vector } from './support.ts';
import { gradientOf, HIDDEN, noisyExamples, PARAMETERS } from './tiny-network.ts';

/*
 * What training does to gradients, and how the noise scale is still measured right. Each condition has the form that
 * suggests itself, and by how much it is off.
 */
const SIZE = 300;
const random = seededRandom(62);
const normal = normalNumbers(61);
const examples = noisyExamples(SIZE, normal);
const weights = Array.from({ length: PARAMETERS }, () => 0.3 * normal());
const gradients = examples.map((example) => gradientOf(weights, example));

/** |G|² and tr Σ of a population of gradients, drawn with replacement. */
function truthOf(population: readonly Vector[], shares = population.map(() => 1 / population.length)) {
  const G = (population[0] ?? []).map((_, i) =>
    population.reduce((sum, gradient, k) => sum + (shares[k] ?? 0) * (gradient[i] ?? 0), 0),
  );
  const squaredNorm = dot(G, G);
  const meanSquare = population.reduce(
    (sum, gradient, k) => sum + (shares[k] ?? 0) * dot(gradient, gradient),
    0,
  );
  return { G, squaredNorm, trace: meanSquare - squaredNorm };
}
const truth = truthOf(gradients);

const draw = (): number => random.below(SIZE);
const drawMany = (count: number): number[] => Array.from({ length: count }, draw);
const meanOf = (indices: readonly number[]): number[] =>
  meanVector(indices.map((index) => gradients[index] ?? []));

/** The averages over many steps, which must come to the truth. */
function measured(step: () => GradientMoments, steps = 4000) {
  let state: NoiseScaleState | undefined;
  for (let k = 0; k < steps; k += 1) state = addSample(state, step(), { horizonExamples: Infinity });
  const { squaredGradientNorm: squaredNorm = NaN, gradientVarianceTrace: trace = NaN } = state ?? {};
  return { squaredNorm, trace, ratio: trace / squaredNorm };
}

const off = (value: number, right: number): number => value / right - 1;
const ratio = truth.trace / truth.squaredNorm;

describe('the noise scale is right', () => {
  it('under accumulation; dividing by K and taking |ḡ|² for |G|² is not', () => {
    const parts = () => [1, 2, 3, 4].map(() => meanOf(drawMany(8)));
    expect(Math.abs(off(measured(() => momentsOf(parts(), [8, 8, 8, 8])).ratio, ratio))).toBeLessThan(0.05);
    const naive = Array.from({ length: 2000 }, () => {
      const drawn = parts();
      const average = meanVector(drawn);
      const spread = mean(drawn.map((part) => dot(part, part))) - dot(average, average);
      return { trace: 8 * spread, squaredNorm: dot(average, average) };
    });
    const found = mean(naive.map(({ trace }) => trace)) / mean(naive.map(({ squaredNorm }) => squaredNorm));
    // (K − 1)/K of tr Σ over |G|² + tr Σ / B.
    expect(Math.abs(off(found, (0.75 * truth.trace) / (truth.squaredNorm + truth.trace / 32)))).toBeLessThan(
      0.05,
    );
    expect(off(found, ratio)).toBeLessThan(-0.35);
  });

  it('for unequal micro-batches; as if they were equal, tr Σ is a third too large', () => {
    const parts = () => [meanOf(drawMany(24)), meanOf(drawMany(8))];
    expect(Math.abs(off(measured(() => momentsOf(parts(), [24, 8])).ratio, ratio))).toBeLessThan(0.05);
    // (B/4)(1/24 + 1/8) = 4/3
    expect(
      Math.abs(off(measured(() => momentsOf(parts(), [16, 16])).trace, (4 / 3) * truth.trace)),
    ).toBeLessThan(0.05);
  });

  it('for masked micro-batches, by the examples that count; by their slots it is too large', () => {
    const masked = () => {
      const mask = [1, ...Array.from({ length: 15 }, () => Number(random.uniform() < 0.5))];
      return { gradient: meanOf(drawMany(effectiveSize(mask))), size: effectiveSize(mask) };
    };
    const right = measured(() => {
      const parts = [masked(), masked()];
      return momentsOf(
        parts.map(({ gradient }) => gradient),
        parts.map(({ size }) => size),
      );
    });
    expect(Math.abs(off(right.ratio, ratio))).toBeLessThan(0.05);
    const bySlots = measured(() => momentsOf([masked().gradient, masked().gradient], [16, 16]));
    expect(off(bySlots.ratio, ratio)).toBeGreaterThan(0.7);
  });

  it('for weighted examples, by their effective count; by their number it is too large', () => {
    const weighted = () => {
      const drawn = drawMany(16);
      const w = drawn.map(() => (random.uniform() < 0.25 ? 4 : 1));
      const sum = w.reduce((total, value) => total + value, 0);
      const gradient = meanVector(
        drawn.map((at, k) => (gradients[at] ?? []).map((x) => (16 * x * (w[k] ?? 0)) / sum)),
      );
      return { gradient, size: effectiveSize(w) };
    };
    const right = measured(() => {
      const parts = [weighted(), weighted()];
      return momentsOf(
        parts.map(({ gradient }) => gradient),
        parts.map(({ size }) => size),
      );
    }, 12_000);
    expect(Math.abs(off(right.ratio, ratio))).toBeLessThan(0.05);
    const byNumber = measured(() => momentsOf([weighted().gradient, weighted().gradient], [16, 16]));
    expect(off(byNumber.ratio, ratio)).toBeGreaterThan(0.3);
  });

  it('for examples drawn by importance; without their weights it is that of another objective', () => {
    // In proportion to the length of its gradient, and a tenth at random.
    const norms = gradients.map((gradient) => Math.sqrt(dot(gradient, gradient)));
    const raw = norms.map((norm) => 0.9 * norm + 0.1 * mean(norms));
    const q = raw.map((value) => value / (SIZE * mean(raw)));
    const largest = Math.max(...raw);
    const pick = (): number => {
      for (;;) {
        const index = draw();
        if (random.uniform() < (raw[index] ?? 0) / largest) return index;
      }
    };
    const scaled = gradients.map((gradient, k) => gradient.map((x) => x / (SIZE * (q[k] ?? NaN))));
    const drawn = truthOf(scaled, q);
    // The weights make it the gradient of the same objective, with less noise.
    expect(drawn.squaredNorm).toBeCloseTo(truth.squaredNorm, 12);
    expect(drawn.trace).toBeLessThan(0.95 * truth.trace);
    const half = (of: readonly Vector[]) => meanVector(Array.from({ length: 16 }, () => of[pick()] ?? []));
    const right = measured(() => momentsOf([half(scaled), half(scaled)], [16, 16]));
    expect(Math.abs(off(right.ratio, drawn.trace / drawn.squaredNorm))).toBeLessThan(0.05);
    const unweighted = measured(() => momentsOf([half(gradients), half(gradients)], [16, 16]));
    expect(Math.abs(off(unweighted.squaredNorm, truth.squaredNorm))).toBeGreaterThan(0.2);
  });

  it('before gradients are clipped; after that it is a third too small', () => {
    // One example in twenty has a gradient eight times as long.
    const heavy = gradients.map((gradient, k) => gradient.map((x) => (k % 20 === 0 ? 8 * x : x)));
    const exact = truthOf(heavy);
    const half = () => meanVector(drawMany(4).map((index) => heavy[index] ?? []));
    const bound = median(Array.from({ length: 400 }, () => Math.hypot(...half())));
    const clipped = (gradient: Vector) => {
      const factor = Math.min(1, bound / Math.hypot(...gradient));
      return gradient.map((x) => factor * x);
    };
    const right = measured(() => momentsOf([half(), half()], [4, 4]), 100_000);
    expect(Math.abs(off(right.ratio, exact.trace / exact.squaredNorm))).toBeLessThan(0.05);
    const naive = measured(() => momentsOf([half(), half()].map(clipped), [4, 4]), 100_000);
    expect(off(naive.ratio, exact.trace / exact.squaredNorm)).toBeLessThan(-0.3);
  });

  it('with a weight penalty in the loss, told of its gradient; untold it is too small', () => {
    const penalty = weights.map((weight) => 2 * 0.1 * weight);
    const halves = () => [16, 16].map((size) => meanOf(drawMany(size)).map((x, i) => x + (penalty[i] ?? 0)));
    const right = measured(() => momentsOf(halves(), [16, 16], { penalty }));
    expect(Math.abs(off(right.ratio, ratio))).toBeLessThan(0.05);
    const uneven = measured(() => {
      const parts = [12, 4, 16].map((size) => meanOf(drawMany(size)).map((x, i) => x + (penalty[i] ?? 0)));
      return momentsOf(parts, [12, 4, 16], { penalty });
    });
    expect(Math.abs(off(uneven.ratio, ratio))).toBeLessThan(0.05);
    const naive = measured(() => momentsOf(halves(), [16, 16]));
    const whole = truth.G.map((x, i) => x + (penalty[i] ?? 0));
    expect(Math.abs(off(naive.ratio, truth.trace / dot(whole, whole)))).toBeLessThan(0.05);
    expect(off(naive.ratio, ratio)).toBeLessThan(-0.2);
  });

  it('with dropout of its own in each half; with one seed for both, noise passes for signal', () => {
    // All 2^6 masks, each as likely: half of the units dropped, the others doubled.
    const masks = Array.from({ length: 2 ** HIDDEN }, (_, bits) =>
      Array.from({ length: HIDDEN }, (_unused, h) => ((bits >> h) & 1) * 2),
    );
    const each = examples.map((example) => masks.map((mask) => gradientOf(weights, example, mask)));
    const exact = truthOf(each.flat());
    const half = (chosen: readonly number[]) => meanVector(chosen.map((mask) => each[draw()]?.[mask] ?? []));
    const drawMasks = () => Array.from({ length: 4 }, () => random.below(masks.length));
    const right = measured(() => momentsOf([half(drawMasks()), half(drawMasks())], [4, 4]), 20_000);
    expect(Math.abs(off(right.ratio, exact.trace / exact.squaredNorm))).toBeLessThan(0.05);
    const shared = measured(() => {
      const chosen = drawMasks();
      return momentsOf([half(chosen), half(chosen)], [4, 4]);
    }, 20_000);
    // What the masks of one half have in common with the other's counts as gradient.
    const byMask = masks.map((_, m) => meanVector(each.map((row) => row[m] ?? [])));
    expect(Math.abs(off(shared.squaredNorm, exact.squaredNorm + truthOf(byMask).trace / 4))).toBeLessThan(
      0.05,
    );
    expect(off(shared.ratio, exact.trace / exact.squaredNorm)).toBeLessThan(-0.15);
  });

  it('with batch normalisation, for micro-batches of one size; a whole batch of its own statistics is another function', () => {
    /** Squared loss of w x̂ + c at w = 0.2, c = 0.3, with x̂ normalised over the micro-batch. */
    const data = Array.from({ length: SIZE }, () => {
      const x = normal();
      return { x, y: x + normal() };
    });
    const normalised = (batch: readonly { x: number; y: number }[]): number[] => {
      const middle = mean(batch.map(({ x }) => x));
      const deviation = Math.sqrt(mean(batch.map(({ x }) => (x - middle) ** 2)) + 1e-3);
      const rows = batch.map(({ x, y }) => {
        const scaled = (x - middle) / deviation;
        const error = 0.2 * scaled + 0.3 - y;
        return [error * scaled, error];
      });
      return meanVector(rows);
    };
    const take = (count: number) => drawMany(count).map((index) => data[index] ?? { x: NaN, y: NaN });
    const microBatch = 4;
    const many = Array.from({ length: 100_000 }, () => normalised(take(microBatch)));
    const { squaredNorm, trace } = truthOf(many);
    const right = measured(
      () =>
        momentsOf(
          [1, 2].map(() => normalised(take(microBatch))),
          [4, 4],
        ),
      60_000,
    );
    expect(Math.abs(off(right.ratio, (microBatch * trace) / squaredNorm))).toBeLessThan(0.05);
    // McCandlish et al., A.1, with the whole batch as the large one.
    let [norm, variance] = [0, 0];
    for (let k = 0; k < 60_000; k += 1) {
      const [one, other] = [take(microBatch), take(microBatch)];
      const big = normalised([...one, ...other]);
      const small = mean([one, other].map(normalised).map((gradient) => dot(gradient, gradient)));
      norm += (8 * dot(big, big) - 4 * small) / 4;
      variance += (small - dot(big, big)) / (1 / 4 - 1 / 8);
    }
    expect(Math.abs(off(variance / norm, (microBatch * trace) / squaredNorm))).toBeGreaterThan(0.15);
  });
});
