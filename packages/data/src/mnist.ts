import { DataError } from './data-error.ts';
import type { NamedBytes } from './gzip.ts';
import { readIdx } from './idx.ts';
import type { ImageShape, ImageSplits, LabelledImages } from './image-dataset.ts';

/** The four files that make up MNIST, and every data set in its form. */
export const MNIST_FILES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

/** One value for each of the four files. */
export type MnistParts<Value> = { readonly [Part in keyof typeof MNIST_FILES]: Value };

/** Images of one split and their shape. */
interface ImagePair {
  readonly imageShape: ImageShape;
  readonly examples: LabelledImages;
}

const CLASSES = 10;

/**
 * Puts a data set together from its four IDX files, plain or in gzip. Images are [n, h, w] (one channel) or
 * [n, h, w, c], labels are [n].
 * @throws DataError `malformedFile` when a file is malformed or two of them do not belong together
 */
export function readMnist(parts: MnistParts<NamedBytes>): ImageSplits {
  const train = readPair(parts.trainImages, parts.trainLabels);
  const test = readPair(parts.testImages, parts.testLabels);
  if (train.imageShape.join() !== test.imageShape.join())
    throw new DataError(
      'malformedFile',
      `${parts.testImages.file}: the images are [${test.imageShape.join(', ')}], but those of ` +
        `${parts.trainImages.file} are [${train.imageShape.join(', ')}].`,
      { hint: 'Use the training and test files of one data set.' },
    );
  return { imageShape: train.imageShape, train: train.examples, test: test.examples };
}

function readPair(imageFile: NamedBytes, labelFile: NamedBytes): ImagePair {
  const images = readIdx(imageFile.bytes, imageFile.file);
  const labels = readIdx(labelFile.bytes, labelFile.file);
  const [count = 0, height = 0, width = 0, channels = 1] = images.shape;
  if (images.shape.length < 3 || images.shape.length > 4 || images.data.length === 0)
    throw new DataError('malformedFile', `${imageFile.file}: the shape is [${images.shape.join(', ')}].`, {
      hint: 'Images are [count, height, width] or [count, height, width, channels]; check that labels and images are not swapped.',
    });
  if (labels.shape.length !== 1)
    throw new DataError('malformedFile', `${labelFile.file}: the shape is [${labels.shape.join(', ')}].`, {
      hint: 'Labels are [count]; check that labels and images are not swapped.',
    });
  if (labels.data.length !== count)
    throw new DataError(
      'malformedFile',
      `${labelFile.file} has ${labels.data.length} labels, but ${imageFile.file} has ${count} images.`,
      { hint: 'Use the two files of one split.' },
    );
  requireLabels(labels.data, labelFile.file);
  const imageShape: ImageShape = [height, width, channels];
  return { imageShape, examples: { images: images.data, labels: labels.data, count } };
}

function requireLabels(labels: Uint8Array, file: string): void {
  const wrong = labels.findIndex((label) => label >= CLASSES);
  if (wrong === -1) return;
  throw new DataError(
    'malformedFile',
    `${file}: label number ${wrong} is ${labels[wrong]}; labels are 0 to 9.`,
    {
      hint: 'Check that this is the label file of a data set with ten classes.',
    },
  );
}
