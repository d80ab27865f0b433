import type { BatchSource } from '@batchwise/core';
import {
  gathered,
  passFeedback,
  requireExamples,
  sequential,
  shuffled,
  type IndexSampler,
} from '@batchwise/sampler';
import type { ImageShape, LabelledImages } from './image-dataset.ts';

/** Numbers in row-major order; the first dimension of `shape` counts the examples of the batch. */
export interface ArrayTensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** A batch in plain host memory: inputs and targets. */
export interface ArrayBatch {
  /** Pixels scaled to 0..1, [n, height, width, channels], or [n, height * width * channels] when flat. */
  readonly xs: ArrayTensor;
  /** One-hot classes, [n, classes]. */
  readonly ys: ArrayTensor;
  /** Where the sampler hands out importance weights: those of the one output, [n]. */
  readonly weights?: readonly ArrayTensor[];
}

/** What `imageSource` needs to know; `imageShape` and `classes` are those of the data set. */
export interface ImageSourceOptions {
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** A new order in each epoch; without it the order of the files. A sampler is taken as it is. */
  readonly shuffle: boolean | IndexSampler;
  /** Decides the orders of `shuffle: true`, an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** One row of pixels per image, for a model that begins with a dense layer. Default false. */
  readonly flat?: boolean;
}

/** A source of known size. */
export interface ImageSource extends BatchSource<ArrayBatch> {
  readonly size: number;
}

/** In double precision, so that each of the 256 values still rounds to the 32-bit float nearest to value / 255. */
const SCALE = 1 / 255;

/**
 * Batches of images for training or evaluation. The images stay bytes; each batch is converted when it is asked for,
 * into memory that the cursor's next batch uses again: copy what must last.
 * @throws RangeError when the arrays do not fit `count`, `imageShape` and `classes`, the sampler was made for
 *   another number of examples, or the seed is not one
 */
export function imageSource(examples: LabelledImages, options: ImageSourceOptions): ImageSource {
  const { imageShape, classes, shuffle, seed = 0, flat = false } = options;
  requireFit(examples, options);
  const { images, labels, count } = examples;
  const [height, width, channels] = imageShape;
  const pixels = height * width * channels;
  const shape = flat ? [pixels] : imageShape;
  const sampler = samplerOf(shuffle, { count, seed });
  const gather = (memory: BatchMemory) => (indices: Int32Array, weights: Float32Array | undefined) => ({
    xs: {
      data: scaledPixels(images, indices, memory.pixels(indices.length * pixels)),
      shape: [indices.length, ...shape],
    },
    ys: {
      data: oneHot(labels, indices, memory.classes(indices.length * classes)),
      shape: [indices.length, classes],
    },
    ...(weights && { weights: [{ data: weights, shape: [indices.length] }] }),
  });
  const sourceOf = (order: IndexSampler): ImageSource => {
    const { state } = passFeedback(order);
    return {
      size: order.size,
      epoch: (index, startAt) => gathered(order, gather(new BatchMemory())).epoch(index, startAt),
      ...(state && { state }),
      ...(order.independent && { independent: sourceOf(order.independent) }),
    };
  };
  return sourceOf(sampler);
}

function samplerOf(
  shuffle: boolean | IndexSampler,
  { count, seed }: { readonly count: number; readonly seed: number },
): IndexSampler {
  if (typeof shuffle === 'boolean') return shuffle ? shuffled(count, { seed }) : sequential(count);
  requireExamples(shuffle, count);
  return shuffle;
}

/** The memory of one cursor's batches: fresh megabytes for each batch cost more than filling them. */
class BatchMemory {
  #pixels = new Float32Array(0);
  #classes = new Float32Array(0);

  pixels(length: number): Float32Array {
    if (this.#pixels.length < length) this.#pixels = new Float32Array(length);
    return this.#pixels.subarray(0, length);
  }

  /** All zero. */
  classes(length: number): Float32Array {
    if (this.#classes.length < length) this.#classes = new Float32Array(length);
    return this.#classes.subarray(0, length).fill(0);
  }
}

/** Converted and scaled in one pass: this loop visits each pixel of each batch. */
function scaledPixels(images: Uint8Array, indices: Int32Array, data: Float32Array): Float32Array {
  const pixels = data.length / indices.length;
  let to = 0;
  for (const index of indices) {
    const end = (index + 1) * pixels;
    for (let from = index * pixels; from < end; from++) data[to++] = (images[from] ?? 0) * SCALE;
  }
  return data;
}

function oneHot(labels: Uint8Array, indices: Int32Array, data: Float32Array): Float32Array {
  const classes = data.length / indices.length;
  indices.forEach((index, row) => {
    data[row * classes + (labels[index] ?? 0)] = 1;
  });
  return data;
}

function requireFit(
  { images, labels, count }: LabelledImages,
  { imageShape, classes }: ImageSourceOptions,
): void {
  const pixels = imageShape.reduce((product, size) => product * size, 1);
  if (labels.length !== count || images.length !== count * pixels)
    throw new RangeError(
      `${count} images of [${imageShape.join(', ')}] need ${count * pixels} bytes and ${count} labels, ` +
        `but there are ${images.length} and ${labels.length}; give the imageShape of the data set.`,
    );
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong !== -1)
    throw new RangeError(
      `Label number ${wrong} is ${labels[wrong]}, but classes is ${classes}; give more classes.`,
    );
}
