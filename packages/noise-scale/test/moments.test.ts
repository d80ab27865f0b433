import { describe, expect, it } from 'vitest';
import {
  addGroupSamples,
  denseSquaredNorms,
  effectiveSize,
  gradientComponents,
  momentsOf,
  momentsOfExamples,
  noiseScale,
  type GroupStates,
} from '../src/index.ts';
import {
  dot,
  drawGradient,
  mean,
  meanVector,
  momentsOf as momentsByDefinition,
  normalNumbers,
} from './support.ts';
import {
  BIAS_1,
  BIAS_2,
  CLASSES,
  forward,
  gradientOf,
  HIDDEN,
  noisyExamples,
  PARAMETERS,
} from './tiny-network.ts';

const normal = normalNumbers(41);

describe('momentsOf', () => {
  it('is the definition, term by term', () => {
    const gradients = [3, 5, 2, 7].map(() => Array.from({ length: 5 }, normal));
    const expected = momentsByDefinition([3, 5, 2, 7], gradients);
    const found = momentsOf(
      gradients.map((gradient) => Float64Array.from(gradient)),
      [3, 5, 2, 7],
    );
    expect(found.sizes).toEqual(expected.sizes);
    found.squaredNorms.forEach((value, k) => expect(value).toBeCloseTo(expected.squaredNorms[k] ?? NaN, 12));
    expect(found.crossProduct).toBeCloseTo(expected.crossProduct, 10);
    expect(found).not.toHaveProperty('penalty');
  });

  it('adds the products with the penalty', () => {
    const moments = momentsOf(
      [
        [1, 2],
        [3, -1],
      ],
      [4, 4],
      { penalty: [2, 1] },
    );
    expect(moments.penalty).toEqual({ squaredNorm: 5, products: [4, 5] });
  });

  it('refuses what does not fit together', () => {
    expect(() => momentsOf([[1], [2]], [4])).toThrow('2 gradients and 1 sizes');
    expect(() => momentsOf([[1], [2, 3]], [4, 4])).toThrow('1 numbers and another 2');
  });
});

describe('exact per-example norms', () => {
  const examples = noisyExamples(40, normal);
  const weights = Array.from({ length: PARAMETERS }, () => 0.4 * normal());
  const gradients = examples.map((example) => gradientOf(weights, example));

  it('of dense layers are those of the gradients themselves', () => {
    // The gradient with respect to a bias is the error of its layer.
    const layers = [
      {
        inputs: examples.map(({ features }) => features),
        errors: gradients.map((gradient) => gradient.slice(BIAS_1, BIAS_1 + HIDDEN)),
        bias: true,
      },
      {
        inputs: examples.map(({ features }) => forward(weights, features).hidden),
        errors: gradients.map((gradient) => gradient.slice(BIAS_2, BIAS_2 + CLASSES)),
        bias: true,
      },
    ];
    const norms = denseSquaredNorms(layers);
    gradients.forEach((gradient, k) => expect(norms[k]).toBeCloseTo(dot(gradient, gradient), 12));
    const withoutBias = denseSquaredNorms(layers.map((layer) => ({ ...layer, bias: false })));
    gradients.forEach((gradient, k) => {
      const biases = [...gradient.slice(BIAS_1, BIAS_1 + HIDDEN), ...gradient.slice(BIAS_2)];
      expect(withoutBias[k]).toBeCloseTo(dot(gradient, gradient) - dot(biases, biases), 12);
    });
  });

  it('are a sample of micro-batches of one', () => {
    const average = meanVector(gradients);
    const norms = gradients.map((gradient) => dot(gradient, gradient));
    const components = gradientComponents(momentsOfExamples(norms, dot(average, average)));
    // The sample variance, with N − 1, and what it leaves of |ḡ|².
    const trace = (40 / 39) * (mean(norms) - dot(average, average));
    expect(components.examples).toBe(40);
    expect(components.gradientVarianceTrace).toBeCloseTo(trace, 10);
    expect(components.squaredGradientNorm).toBeCloseTo(dot(average, average) - trace / 40, 10);
  });

  it('need a row for each example', () => {
    const layer = { inputs: [[1], [2]], errors: [[1]], bias: true };
    expect(() => denseSquaredNorms([layer])).toThrow('Layer 0 has 2 rows of inputs and 1 of errors');
    expect(denseSquaredNorms([])).toEqual([]);
  });
});

describe('effectiveSize', () => {
  it('is the count of a mask, and (Σ w)² / Σ w² of weights', () => {
    expect(effectiveSize([1, 0, 1, 1, 0])).toBe(3);
    expect(effectiveSize([2, 2, 2, 2])).toBe(4);
    expect(effectiveSize(Float32Array.of(3, 1))).toBeCloseTo(16 / 10, 12);
  });

  it.each([[[0, 0]], [[1, -1]], [[NaN]], [[Infinity]], [[]]])('refuses %j', (weights) => {
    expect(() => effectiveSize(weights)).toThrow(RangeError);
  });
});

describe('groups of parameters', () => {
  const gaussian = { gradient: [2, 1, 0.5, 0.1], variances: [8, 8, 20, 4] };
  const groups = { first: [0, 2], second: [2, 4] } as const;

  it('have noise scales of their own, and components that add up', () => {
    let states: GroupStates = {};
    for (let step = 0; step < 4000; step += 1) {
      const halves = [16, 16].map((size) => drawGradient(gaussian, size, normal));
      const moments = Object.fromEntries(
        Object.entries({ ...groups, all: [0, 4] }).map(([name, [from, to]]) => [
          name,
          momentsOf(
            halves.map((half) => half.slice(from, to)),
            [16, 16],
          ),
        ]),
      );
      states = addGroupSamples(states, moments, { horizonExamples: Infinity });
    }
    const [first, second, all] = ['first', 'second', 'all'].map((name) => noiseScale(states[name]));
    if (!first?.known || !second?.known || !all?.known) throw new Error('not resolved');
    // 16 / 5 and 24 / 0.26.
    expect(Math.abs(first.noiseScale / 3.2 - 1)).toBeLessThan(0.05);
    expect(second.lower).toBeLessThan(92.3);
    expect(second.upper).toBeGreaterThan(92.3);
    expect(first.squaredGradientNorm + second.squaredGradientNorm).toBeCloseTo(all.squaredGradientNorm, 10);
    expect(first.gradientVarianceTrace + second.gradientVarianceTrace).toBeCloseTo(
      all.gradientVarianceTrace,
      9,
    );
  });

  it('leaves the groups alone that were not measured', () => {
    const moments = momentsOf([[1], [2]], [4, 4]);
    const one = addGroupSamples({}, { first: moments }, { horizonExamples: 100 });
    const two = addGroupSamples(one, { second: moments }, { horizonExamples: 100 });
    expect(two['first']).toEqual(one['first']);
    expect(two['second']).toEqual(one['first']);
  });
});
