import type {
  BatchController,
  BatchSource,
  Decision,
  FailedStep,
  Measurement,
  Observer,
} from '@batchwise/core';
import type { ArrayBatch } from '../src/index.ts';

/** Rows of `examples` in their order, one epoch like the other. */
export function rowsOf({ xs, ys }: ArrayBatch): BatchSource<ArrayBatch> {
  if (!('data' in xs) || !('data' in ys)) throw new Error('one input and one target, as arrays');
  const [size = 0] = xs.shape;
  const rows = ({ data, shape }: typeof xs, from: number, to: number): typeof xs => {
    const width = data.length / size;
    return { data: data.slice(from * width, to * width), shape: [to - from, ...shape.slice(1)] };
  };
  return {
    size,
    epoch: (_index, startAt = 0) => {
      let at = startAt;
      return {
        take(count) {
          const [from, to] = [at, Math.min(size, at + count)];
          at = to;
          return from === to ? undefined : { xs: rows(xs, from, to), ys: rows(ys, from, to) };
        },
      };
    },
  };
}

/** One batch size; the micro-batch is halved after each failure, as a ceiling would. */
export function halving(
  batchSize: number,
  { microBatchSize = batchSize, measure = ['loss'] as readonly Measurement[] } = {},
): BatchController<number> {
  const at = (microBatch: number): Decision<number> => ({
    plan: { batchSize, microBatchSize: microBatch, learningRateScale: 1 },
    reason: { code: 'test', text: 'said so', numbers: {} },
    measure,
    state: microBatch,
  });
  return {
    name: 'halving',
    measures: measure,
    start: () => at(microBatchSize),
    next: (_step, state) => at(state),
    recover: ({ kind }, state) =>
      kind === 'outOfMemory' && state > 1
        ? { kind: 'retry', decision: at(Math.floor(state / 2)) }
        : { kind: 'giveUp', message: `gave up on ${kind}` },
  };
}

/** Writes down what became of each step. */
export function journal(): Observer & {
  readonly losses: number[];
  readonly sizes: number[];
  readonly failures: FailedStep[];
} {
  const [losses, sizes, failures]: [number[], number[], FailedStep[]] = [[], [], []];
  return {
    name: 'journal',
    losses,
    sizes,
    failures,
    onStepFailed: ({ outcome }) => void failures.push(outcome),
    onStepFinished: ({ outcome }) => {
      losses.push(outcome.loss ?? NaN);
      sizes.push(outcome.plan.microBatchSize);
    },
  };
}
