import { join } from 'node:path';
import { DataError } from './data-error.ts';
import { findFiles, readAll } from './find-files.ts';
import type { NamedBytes } from './gzip.ts';
import type { ImageSplits } from './image-dataset.ts';
import { MNIST_FILES, readMnist } from './mnist.ts';
import type { PublishedDataset } from './published-dataset.ts';

/**
 * MNIST. The sums are of the uncompressed IDX files, computed from a copy whose MD5 sums were first compared with the
 * published ones (6bbc9ace898e44ae57da46a324031adb, a25bea736e30d166cdddb491f175f624,
 * 2646ac647ad5339dbf082846283269ea, 27ae3e4e09519cfbb04c329615203637); the lengths are of the published .gz files.
 */
export const publishedMnist: PublishedDataset = {
  name: 'mnist',
  title: 'MNIST',
  mirrors: [
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
  ],
  files: [
    {
      name: `${MNIST_FILES.trainImages}.gz`,
      byteLength: 9_912_422,
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      hashed: 'unwrapped',
    },
    {
      name: `${MNIST_FILES.trainLabels}.gz`,
      byteLength: 28_881,
      sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      hashed: 'unwrapped',
    },
    {
      name: `${MNIST_FILES.testImages}.gz`,
      byteLength: 1_648_877,
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      hashed: 'unwrapped',
    },
    {
      name: `${MNIST_FILES.testLabels}.gz`,
      byteLength: 4_542,
      sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
      hashed: 'unwrapped',
    },
  ],
  fromContents: readMnistFiles,
  fromDirectory: readMnistDirectory,
};

/**
 * Reads the four IDX files, plain or in gzip, that lie in `directory` or in its folder `mnist`. Any data set in this
 * form will do; its size and the shape of its images are its own.
 * @throws DataError `missingFile` with all that was looked for, `malformedFile`
 */
export async function readMnistDirectory(directory: string): Promise<ImageSplits> {
  const findings = await findFiles({
    folders: [directory, join(directory, 'mnist')],
    wanted: Object.values(MNIST_FILES).map((name) => [name, `${name}.gz`]),
  });
  if ('missing' in findings)
    throw new DataError('missingFile', `MNIST: ${findings.missing}.`, {
      hint: 'Give the directory that holds the four files; without one they are downloaded.',
    });
  return readMnistFiles(await readAll(findings.paths));
}

/** In the order of `MNIST_FILES`. */
function readMnistFiles(files: readonly NamedBytes[]): ImageSplits {
  const [trainImages, trainLabels, testImages, testLabels] = files;
  if (!trainImages || !trainLabels || !testImages || !testLabels)
    throw new RangeError(`MNIST consists of four files, but ${files.length} were given.`);
  return readMnist({ trainImages, trainLabels, testImages, testLabels });
}
