import { expect, it } from 'vitest';
import { inGroups } from '../src/in-groups.ts';
import { withBatchNormAdvice } from '../src/with-batch-norm-advice.ts';
import { withCeiling } from '../src/with-ceiling.ts';
import { withGuard } from '../src/with-guard.ts';
import { withHysteresis } from '../src/with-hysteresis.ts';
import { withLadder } from '../src/with-ladder.ts';
import { withLearningRate } from '../src/with-learning-rate.ts';
import { scripted } from './step.ts';

const guarded = () => withGuard(scripted([32]));
const bare = () => scripted([32]);
const coupling = { rule: 'sqrt', referenceBatchSize: 32 } as const;

it.each([
  ['withBatchNormAdvice', withBatchNormAdvice(guarded()), withBatchNormAdvice(bare())],
  ['withCeiling', withCeiling(guarded()), withCeiling(bare())],
  ['withHysteresis', withHysteresis(guarded()), withHysteresis(bare())],
  ['withLadder', withLadder(guarded(), [32]), withLadder(bare(), [32])],
  ['withLearningRate', withLearningRate(guarded(), coupling), withLearningRate(bare(), coupling)],
  ['inGroups', inGroups(guarded()), inGroups(bare())],
])('%s says that a guard inside of it may want weights back, and only then', (_name, around, alone) => {
  expect(around.restores).toBe(true);
  expect(alone.restores).toBeUndefined();
});
