/** Rows, columns and channels of one image. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** The data sets that can be asked for by name. */
export type DatasetName = 'mnist' | 'cifar10' | 'digits';

/** Images and what they show. Kept as bytes: a quarter of the memory of 32-bit floats. */
export interface LabelledImages {
  /** `count` images one after the other, each row-major with its channels interleaved, 0 to 255. */
  readonly images: Uint8Array;
  /** The class of each image, 0 to `classes` - 1. */
  readonly labels: Uint8Array;
  readonly count: number;
}

/** Training and test images of one shape. */
export interface ImageSplits {
  readonly imageShape: ImageShape;
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

/** A data set in memory. */
export interface ImageDataset extends ImageSplits {
  readonly name: DatasetName;
  /** Where it came from, for a person: a directory, `cache`, the host of a mirror or `built-in`. */
  readonly source: string;
  readonly classes: number;
}

/** A data set whose training images have been parted in two. */
export interface SplitDataset extends ImageDataset {
  /** Images that are not trained on, to watch the model by. */
  readonly validation: LabelledImages;
}

/**
 * Sets the LAST `validationExamples` training images apart, as is usual for MNIST (54,000 and 6,000); for CIFAR-10 use
 * 5,000. Nothing is copied.
 * @throws RangeError when `validationExamples` is not an integer that leaves at least one image on either side
 */
export function splitValidation(dataset: ImageDataset, validationExamples = 6000): SplitDataset {
  const { train } = dataset;
  if (!Number.isInteger(validationExamples) || validationExamples < 1 || validationExamples >= train.count)
    throw new RangeError(
      `validationExamples is ${validationExamples}; give an integer from 1 to ${train.count - 1} ` +
        `(${dataset.name} has ${train.count} training images).`,
    );
  const border = train.count - validationExamples;
  return { ...dataset, train: slice(train, 0, border), validation: slice(train, border, train.count) };
}

function slice({ images, labels, count }: LabelledImages, from: number, to: number): LabelledImages {
  const pixels = images.length / count;
  return {
    images: images.subarray(from * pixels, to * pixels),
    labels: labels.subarray(from, to),
    count: to - from,
  };
}
