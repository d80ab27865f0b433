import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { KnownFile } from '../../src/checksum.ts';
import { writeIdx } from '../../src/idx.ts';
import { MNIST_FILES } from '../../src/mnist.ts';
import { publishedMnist } from '../../src/published-mnist.ts';
import type { PublishedDataset } from '../../src/published-dataset.ts';

/** An MNIST of 3 training images and 2 test images of 2x2 pixels, as plain IDX files by their names. */
export const TINY_FILES: ReadonlyMap<string, Uint8Array> = new Map([
  [
    MNIST_FILES.trainImages,
    writeIdx({ shape: [3, 2, 2], data: Uint8Array.of(0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6) }),
  ],
  [MNIST_FILES.trainLabels, writeIdx({ shape: [3], data: Uint8Array.of(7, 0, 9) })],
  [
    MNIST_FILES.testImages,
    writeIdx({ shape: [2, 2, 2], data: Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80) }),
  ],
  [MNIST_FILES.testLabels, writeIdx({ shape: [2], data: Uint8Array.of(1, 2) })],
]);

/** The files as a mirror has them. */
export const TINY_MIRROR: ReadonlyMap<string, Uint8Array> = new Map(
  [...TINY_FILES].map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]),
);

/** What `checksum.ts` needs to know of a file whose gzip wrapper may differ. */
export function knownFile(name: string, content: Uint8Array): KnownFile {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { name, byteLength: content.length, sha256, hashed: 'unwrapped' };
}

/** MNIST with the tiny files in place of the published ones. */
export const tinyMnist: PublishedDataset = {
  ...publishedMnist,
  mirrors: [],
  files: [...TINY_FILES].map(([name, bytes]) => knownFile(`${name}.gz`, bytes)),
};

/** Writes files into a folder, which is made. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
}
