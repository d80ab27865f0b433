import { expect, it } from 'vitest';
import { optimizerTraits, type OptimizerName } from '../src/optimizers.ts';

it.each([
  [
    'sgd',
    {
      criticalBatchFactor: 3,
      examplesExponent: 1,
      examplesSharpness: 1,
      learningRateRule: 'linear',
      maxLearningRateScale: 4,
    },
  ],
  [
    'momentum',
    {
      criticalBatchFactor: 3,
      examplesExponent: 1,
      examplesSharpness: 1,
      learningRateRule: 'linear',
      maxLearningRateScale: 8,
    },
  ],
  [
    'adam',
    {
      criticalBatchFactor: 1,
      examplesExponent: 0.5,
      examplesSharpness: 2,
      learningRateRule: 'sqrt',
      maxLearningRateScale: 8,
    },
  ],
  [
    'rmsprop',
    {
      criticalBatchFactor: 1,
      examplesExponent: 0.5,
      examplesSharpness: 2,
      learningRateRule: 'sqrt',
      maxLearningRateScale: 8,
    },
  ],
] as const)('%s has c, a rule and a cap', (name, traits) => {
  expect(optimizerTraits(name)).toEqual(traits);
});

it('says which names it knows', () => {
  const wrong: string = 'toString';
  expect(() => optimizerTraits(wrong as OptimizerName)).toThrow(
    'No optimizer is called toString; known are sgd, momentum, adam, adamax, rmsprop, adagrad, adadelta.',
  );
});
