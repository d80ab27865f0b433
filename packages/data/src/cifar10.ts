import { DataError } from './data-error.ts';
import type { NamedBytes } from './gzip.ts';
import type { ImageShape, LabelledImages } from './image-dataset.ts';

/** Files of the binary version of CIFAR-10, the last one being the test images. */
export const CIFAR10_TRAIN_FILES = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
export const CIFAR10_TEST_FILE = 'test_batch.bin';

export const CIFAR10_SHAPE: ImageShape = [32, 32, 3];
const CLASSES = 10;
/** Pixels in one colour plane. */
const PLANE = 32 * 32;
const IMAGE = 3 * PLANE;
/** A label and three planes. */
const RECORD = 1 + IMAGE;

/**
 * Reads files of the binary version of CIFAR-10, one after the other: records of 3,073 bytes, a label and the planes
 * red, green and blue of 32x32 (A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html). The images come out
 * with their channels interleaved.
 *
 * @param recordsPerFile 10,000 in the published files
 * @throws DataError `malformedFile` when a file has another size or holds a label above 9
 */
export function readCifar10Batches(files: readonly NamedBytes[], recordsPerFile = 10_000): LabelledImages {
  const count = files.length * recordsPerFile;
  const images = new Uint8Array(count * IMAGE);
  const labels = new Uint8Array(count);
  files.forEach(({ file, bytes }, position) => {
    requireSize({ file, bytes }, recordsPerFile);
    for (let record = 0; record < recordsPerFile; record++) {
      const label = bytes[record * RECORD] ?? CLASSES;
      if (label >= CLASSES)
        throw new DataError(
          'malformedFile',
          `${file}: the label of record ${record} is ${label}; labels are 0 to 9.`,
          {
            hint: 'This is not the binary version of CIFAR-10 (CIFAR-100 has records of another form), or it is damaged.',
          },
        );
      const example = position * recordsPerFile + record;
      labels[example] = label;
      interleave(
        bytes.subarray(record * RECORD + 1, (record + 1) * RECORD),
        images.subarray(example * IMAGE, (example + 1) * IMAGE),
      );
    }
  });
  return { images, labels, count };
}

function interleave(planes: Uint8Array, image: Uint8Array): void {
  for (let pixel = 0; pixel < PLANE; pixel++) {
    image[3 * pixel] = planes[pixel] ?? 0;
    image[3 * pixel + 1] = planes[PLANE + pixel] ?? 0;
    image[3 * pixel + 2] = planes[2 * PLANE + pixel] ?? 0;
  }
}

function requireSize({ file, bytes }: NamedBytes, records: number): void {
  if (bytes.length === records * RECORD) return;
  const found = `${file} has ${bytes.length} bytes`;
  if (bytes.length % RECORD !== 0)
    throw new DataError(
      'malformedFile',
      `${found}, which is no multiple of ${RECORD}, the size of a record.`,
      {
        hint: 'The file is cut off or is not the binary version of CIFAR-10; fetch it again.',
      },
    );
  throw new DataError('malformedFile', `${found}: ${bytes.length / RECORD} records, not ${records}.`, {
    hint: 'The file is incomplete; fetch it again.',
  });
}
