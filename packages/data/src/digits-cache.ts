import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { builtInDigits } from './digits/built-in-digits.ts';
import { writeIdx } from './idx.ts';
import type { ImageDataset, LabelledImages } from './image-dataset.ts';
import { MNIST_FILES } from './mnist.ts';
import { readMnistDirectory } from './published-mnist.ts';

/** Counts up whenever the same seed draws other digits. */
const FOLDER = 'digits-v1';

/**
 * The built-in digits, drawn once and then read back from the cache in the form of MNIST. Where the cache cannot be
 * read they are drawn again; where it cannot be written they stay in memory, and nobody needs to know.
 */
export async function loadDigits(cacheDir: string, draw = builtInDigits): Promise<ImageDataset> {
  const folder = join(cacheDir, FOLDER);
  const stored = await readMnistDirectory(folder).catch(() => undefined);
  if (stored !== undefined) return { ...stored, name: 'digits', classes: 10, source: 'built-in' };
  const drawn = draw();
  await storeDigits(drawn, folder).catch(() => undefined);
  return drawn;
}

async function storeDigits({ train, test, imageShape }: ImageDataset, folder: string): Promise<void> {
  const [height, width] = imageShape;
  const images = (part: LabelledImages) => ({ shape: [part.count, height, width], data: part.images });
  const labels = (part: LabelledImages) => ({ shape: [part.count], data: part.labels });
  await mkdir(folder, { recursive: true });
  for (const [name, array] of [
    [MNIST_FILES.trainImages, images(train)],
    [MNIST_FILES.trainLabels, labels(train)],
    [MNIST_FILES.testImages, images(test)],
    [MNIST_FILES.testLabels, labels(test)],
  ] as const) {
    const path = join(folder, `${name}.gz`);
    // Another process may be drawing the same digits: each writes a file of its own, and the name is given at the end.
    const draft = `${path}.${process.pid}.part`;
    await writeFile(draft, await promisify(gzip)(writeIdx(array), { level: 1 }));
    await rename(draft, path);
  }
}
