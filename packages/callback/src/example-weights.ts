import { TrainingError } from '@batchwise/core';
import type { ClassWeight, ClassWeightMap } from '@tensorflow/tfjs-layers';
import type { HostRows } from './example-rows.ts';
import type { OpenExamples } from './example-source.ts';
import type { Tensor, Tf } from './tf.ts';

/** Weights as `fit` takes them. */
interface Weighting {
  readonly classWeight?: ClassWeight | ClassWeight[] | ClassWeightMap | undefined;
  readonly sampleWeight?: Tensor | readonly Tensor[] | undefined;
  readonly outputNames: readonly string[];
}

const invalid = (message: string, hint: string): TrainingError =>
  new TrainingError('invalidOptions', message, { hint });

/**
 * One row of weights per example for each output: the class weight times the sample weight. Undefined where neither is
 * given.
 * @throws TrainingError `invalidOptions` where they do not fit the targets
 */
export async function weightRows(
  tf: Pick<Tf, 'argMax'>,
  { count, ys }: Pick<OpenExamples, 'count' | 'ys'>,
  { classWeight, sampleWeight, outputNames }: Weighting,
): Promise<readonly HostRows[] | undefined> {
  if (!classWeight && !sampleWeight) return undefined;
  const byClass = classWeights(classWeight, outputNames);
  const bySample = sampleWeights(sampleWeight, outputNames);
  const rows: HostRows[] = [];
  for (const [output, target] of ys.entries()) {
    const weights = await readWeights(bySample[output], count);
    const perClass = byClass[output];
    if (perClass) multiply(weights, await classesOf(tf, target), perClass);
    rows.push(weights);
  }
  return rows;
}

/** As `standardizeClassWeights` of TensorFlow.js: one per output, or by the names of outputs. */
function classWeights(
  given: Weighting['classWeight'],
  names: readonly string[],
): readonly (ClassWeight | undefined)[] {
  if (!given) return [];
  if (Array.isArray(given)) {
    if (given.length === names.length) return given;
    throw invalid(
      `classWeight has ${given.length} entries for ${names.length} outputs.`,
      'Give one object of weights for each output.',
    );
  }
  const byName = given as ClassWeightMap;
  if (names.some((name) => name in byName)) return names.map((name) => byName[name]);
  if (names.length === 1) return [given as ClassWeight];
  throw invalid(
    `The model has ${names.length} outputs, so classWeight must say which it is for.`,
    `Give an object with some of ${names.join(', ')} as keys.`,
  );
}

function sampleWeights(
  given: Weighting['sampleWeight'],
  names: readonly string[],
): readonly (Tensor | undefined)[] {
  if (!given) return [];
  const list = 'rank' in given ? names.map(() => given) : given;
  if (list.length === names.length) return list;
  throw invalid(
    `sampleWeight has ${list.length} tensors for ${names.length} outputs.`,
    'Give one tensor, or one for each output.',
  );
}

async function readWeights(weights: Tensor | undefined, count: number): Promise<HostRows> {
  if (!weights) return { data: new Float32Array(count).fill(1), count, shape: [] };
  const [rows, ...shape] = weights.shape;
  if (rows !== count)
    throw invalid(
      `sampleWeight has the shape [${weights.shape.join(', ')}] for ${count} examples.`,
      'Give one weight per example.',
    );
  return { data: Float32Array.from(await weights.data()), count, shape };
}

/** Class indices: the largest of several columns, or the only one. */
async function classesOf(tf: Pick<Tf, 'argMax'>, target: HostRows | Tensor): Promise<ArrayLike<number>> {
  const isHost = 'count' in target;
  const shape = isHost ? target.shape : target.shape.slice(1);
  const [columns = 1] = shape;
  if (shape.length !== 1)
    throw invalid(
      `classWeight cannot tell the class of a target of [${shape.join(', ')}].`,
      'Give targets of class indices or one-hot rows, or use sampleWeight.',
    );
  if (columns === 1) return isHost ? target.data : target.data();
  if (isHost)
    return Int32Array.from({ length: target.count }, (_, i) =>
      largestAt(target.data.subarray(i * columns, (i + 1) * columns)),
    );
  const classes = tf.argMax(target, 1);
  try {
    return await classes.data();
  } finally {
    classes.dispose();
  }
}

function largestAt(row: Float32Array | Int32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i += 1) if ((row[i] ?? NaN) > (row[best] ?? NaN)) best = i;
  return best;
}

function multiply({ data, count }: HostRows, classes: ArrayLike<number>, perClass: ClassWeight): void {
  const width = data.length / count;
  for (let i = 0; i < count; i += 1) {
    const weight = perClass[classes[i] ?? NaN];
    if (weight === undefined)
      throw invalid(
        `The class ${classes[i]} is in the data but not in classWeight.`,
        'classWeight must contain all classes in the training data.',
      );
    for (let k = i * width; k < (i + 1) * width; k += 1) data[k] = (data[k] ?? 0) * weight;
  }
}
