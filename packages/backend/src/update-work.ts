import type { CompiledModel, CompiledOptimizer } from './compiled-model.ts';
import type { LayersGradient } from './layers-gradient.ts';
import type { Tensor } from './tf.ts';
import type { TensorWork } from './traced/tensor-work.ts';

/** One update by the model's own optimizer, as a function of the gradient, the weights, its slots and its rate. */
export function updateWork(
  { optimizer, weights }: Pick<CompiledModel, 'optimizer' | 'weights'>,
  gradient: LayersGradient,
): TensorWork {
  const compute = (): readonly [] => {
    optimizer.applyGradients(gradient);
    return [];
  };
  const { learningRate } = optimizer;
  // Where the rate is set by a method, it is in a tensor that the optimizer holds.
  const rate = optimizer.setLearningRate ? undefined : learningRate;
  const otherRate = rate === undefined ? undefined : rate === 0 ? 1 : rate / 2;
  const numbersOf = (number: number | undefined): readonly number[] => (number === undefined ? [] : [number]);
  const given = gradient.map(({ tensor }) => tensor).filter((tensor) => tensor !== null);
  return {
    part: 'update',
    key: `${gradient.map(({ tensor }) => (tensor ? '+' : '-')).join('')} ${optimizerSettings(optimizer)}`,
    inputs: [...given, ...weights, ...optimizerTensors(optimizer)],
    numbers: numbersOf(rate),
    // The same operations on the same values; a graph may take them in another order.
    tolerance: 2e-6,
    compute,
    rehearsal: {
      numbers: numbersOf(otherRate),
      compute: () => {
        const { iterations_ } = optimizer;
        if (otherRate !== undefined) optimizer.learningRate = otherRate;
        try {
          return compute();
        } finally {
          if (rate !== undefined) optimizer.learningRate = rate;
          if (iterations_ !== undefined) optimizer.iterations_ = iterations_;
        }
      },
    },
    replayed: () => optimizer.incrementIterations?.(),
  };
}

/** Every tensor and variable that an optimizer holds: slots, powers of its decay rates, its rate as a tensor. */
function optimizerTensors(optimizer: CompiledOptimizer): Tensor[] {
  return Object.values(optimizer).flatMap((value: unknown) =>
    (Array.isArray(value) ? value.map(variableOf) : [value]).filter(isTensor),
  );
}

/** The numbers and switches that an optimizer was made with, its rate and the count of its updates apart. */
const optimizerSettings = (optimizer: CompiledOptimizer): string =>
  JSON.stringify(
    Object.entries(optimizer).filter(
      ([name, value]) => typeof value !== 'object' && name !== 'learningRate' && name !== 'iterations_',
    ),
  );

/** Slots are kept each with the name of its weight. */
const variableOf = (slot: unknown): unknown =>
  typeof slot === 'object' && slot !== null && 'variable' in slot ? slot.variable : slot;

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value;
