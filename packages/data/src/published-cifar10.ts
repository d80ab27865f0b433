import { join } from 'node:path';
import { CIFAR10_SHAPE, CIFAR10_TEST_FILE, CIFAR10_TRAIN_FILES, readCifar10Batches } from './cifar10.ts';
import { unpackCifar10 } from './cifar10-archive.ts';
import { DataError } from './data-error.ts';
import { findFiles, readAll } from './find-files.ts';
import type { NamedBytes } from './gzip.ts';
import type { ImageSplits } from './image-dataset.ts';
import type { PublishedDataset } from './published-dataset.ts';

const ARCHIVE = 'cifar-10-binary.tar.gz';
const BATCHES = 'cifar-10-batches-bin';

/** CIFAR-10 in its binary version; length and sum are of the archive as its author publishes it. */
export const publishedCifar10: PublishedDataset = {
  name: 'cifar10',
  title: 'CIFAR-10',
  mirrors: ['https://www.cs.toronto.edu/~kriz/'],
  files: [
    {
      name: ARCHIVE,
      byteLength: 170_052_171,
      sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
      hashed: 'asStored',
    },
  ],
  async fromContents(contents) {
    const archives = await Promise.all(contents.map(unpackCifar10));
    return splitsOf(archives.flat());
  },
  fromDirectory: (directory) => readCifar10Directory(directory),
};

/**
 * Reads the binary version of CIFAR-10: the six `.bin` files in `directory` or in its folder `cifar-10-batches-bin`,
 * else `cifar-10-binary.tar.gz`; all of it may also lie one level down, in a folder `cifar10`.
 *
 * @param recordsPerFile images in each of the six files, 10,000 in the published ones
 * @throws DataError `missingFile` with all that was looked for, `malformedFile`
 */
export async function readCifar10Directory(directory: string, recordsPerFile = 10_000): Promise<ImageSplits> {
  const folders = [directory, join(directory, 'cifar10')];
  const batches = await findFiles({
    folders: folders.flatMap((folder) => [folder, join(folder, BATCHES)]),
    wanted: [...CIFAR10_TRAIN_FILES, CIFAR10_TEST_FILE].map((name) => [name]),
  });
  if ('paths' in batches) return splitsOf(await readAll(batches.paths), recordsPerFile);
  const archive = await findFiles({ folders, wanted: [[ARCHIVE]] });
  if ('missing' in archive)
    throw new DataError('missingFile', `CIFAR-10: ${batches.missing}; ${archive.missing}.`, {
      hint: `Give the directory that holds ${BATCHES} or ${ARCHIVE}; without one it is downloaded.`,
    });
  const unpacked = await Promise.all((await readAll(archive.paths)).map(unpackCifar10));
  return splitsOf(unpacked.flat(), recordsPerFile);
}

/** The last file holds the test images. */
function splitsOf(files: readonly NamedBytes[], recordsPerFile?: number): ImageSplits {
  return {
    imageShape: CIFAR10_SHAPE,
    train: readCifar10Batches(files.slice(0, -1), recordsPerFile),
    test: readCifar10Batches(files.slice(-1), recordsPerFile),
  };
}
