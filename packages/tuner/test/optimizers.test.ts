import { expect, it } from 'vitest';
import { optimizerTraits, type OptimizerName } from '../src/optimizers.ts';

it.each([
  ['sgd', 4],
  ['momentum', 8],
] as const)('%s takes the law of McCandlish, and a linear rule up to %s', (name, maxLearningRateScale) => {
  expect(optimizerTraits(name)).toEqual({
    criticalBatchFactor: 3,
    examplesExponent: 1,
    examplesSharpness: 1,
    learningRateRule: 'linear',
    maxLearningRateScale,
  });
});

it.each(['adam', 'adamax', 'rmsprop', 'adagrad', 'adadelta'] as const)(
  '%s divides by gradients: another law, and the root rule',
  (name) => {
    expect(optimizerTraits(name)).toEqual({
      criticalBatchFactor: 1,
      examplesExponent: 0.5,
      examplesSharpness: 2,
      learningRateRule: 'sqrt',
      maxLearningRateScale: 8,
    });
  },
);

it('says which names it knows', () => {
  const wrong: string = 'toString';
  expect(() => optimizerTraits(wrong as OptimizerName)).toThrow(
    'No optimizer is called toString; known are sgd, momentum, adam, adamax, rmsprop, adagrad, adadelta.',
  );
});
