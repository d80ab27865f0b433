import type { Vector } from './support.ts';

const INPUTS = 8;
export const HIDDEN = 6;
export const CLASSES = 3;
/** Weights and biases of both layers: 8 · 6 + 6 + 6 · 3 + 3. */
export const PARAMETERS = INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES;

export interface Example {
  readonly features: Vector;
  readonly label: number;
}

export const [BIAS_1, WEIGHT_2, BIAS_2] = [INPUTS * HIDDEN, INPUTS * HIDDEN + HIDDEN, PARAMETERS - CLASSES];
const units = (count: number) => Array.from({ length: count }, (_, k) => k);

/** tanh layer, linear layer, softmax. */
export function forward(
  weights: Vector,
  features: Vector,
  mask?: Mask,
): { hidden: number[]; probabilities: number[] } {
  const at = (index: number) => weights[index] ?? NaN;
  const hidden = units(HIDDEN).map((h) =>
    Math.tanh(features.reduce((sum, value, i) => sum + value * at(i * HIDDEN + h), at(BIAS_1 + h))),
  );
  const scores = units(CLASSES).map((c) =>
    Math.exp(
      hidden.reduce(
        (sum, value, h) => sum + value * (mask?.[h] ?? 1) * at(WEIGHT_2 + h * CLASSES + c),
        at(BIAS_2 + c),
      ),
    ),
  );
  const total = scores.reduce((sum, score) => sum + score, 0);
  return { hidden, probabilities: scores.map((score) => score / total) };
}

/** Cross-entropy of one example. */
export const lossOf = (weights: Vector, { features, label }: Example): number =>
  -Math.log(forward(weights, features).probabilities[label] ?? NaN);

/** Hidden units that are dropped, 0, or scaled up to make up for it. */
export type Mask = Vector;

/** The exact gradient of one example by backpropagation; `mask` multiplies its hidden units, as dropout does. */
export function gradientOf(weights: Vector, { features, label }: Example, mask?: Mask): number[] {
  const { hidden: full, probabilities } = forward(weights, features, mask);
  const hidden = full.map((value, h) => value * (mask?.[h] ?? 1));
  const outputError = probabilities.map((probability, c) => probability - (c === label ? 1 : 0));
  const hiddenError = full.map((value, h) => {
    const back = outputError.reduce(
      (sum, error, c) => sum + error * (weights[WEIGHT_2 + h * CLASSES + c] ?? NaN),
      0,
    );
    return back * (mask?.[h] ?? 1) * (1 - value ** 2);
  });
  return [
    ...features.flatMap((value) => hiddenError.map((error) => value * error)),
    ...hiddenError,
    ...hidden.flatMap((value) => outputError.map((error) => value * error)),
    ...outputError,
  ];
}

/** Examples whose label depends on their features, but not by a clean rule. */
export const noisyExamples = (count: number, normal: () => number): Example[] =>
  units(count).map(() => {
    const features = units(INPUTS).map(normal);
    const [first = 0, second = 0] = features;
    return { features, label: first + normal() > 0.5 ? 0 : second + normal() > 0 ? 1 : 2 };
  });
