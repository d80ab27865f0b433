import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeIdx } from '../src/idx.ts';
import { readMnist } from '../src/mnist.ts';
import { readMnistDirectory } from '../src/published-mnist.ts';
import { DATA_DIR, MNIST_IS_MISSING, skippedWithout } from './support/real-data.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { TINY_FILES, TINY_MIRROR, writeFiles } from './support/tiny-mnist.ts';

const named = (file: string, shape: readonly number[], data: readonly number[]) => ({
  file,
  bytes: writeIdx({ shape, data: Uint8Array.from(data) }),
});
const PARTS = {
  trainImages: named('a', [2, 1, 2], [1, 2, 3, 4]),
  trainLabels: named('b', [2], [5, 9]),
  testImages: named('c', [1, 1, 2], [6, 7]),
  testLabels: named('d', [1], [0]),
};

describe('readMnist', () => {
  it('joins images and labels', () => {
    expect(readMnist(PARTS)).toEqual({
      imageShape: [1, 2, 1],
      train: { images: Uint8Array.of(1, 2, 3, 4), labels: Uint8Array.of(5, 9), count: 2 },
      test: { images: Uint8Array.of(6, 7), labels: Uint8Array.of(0), count: 1 },
    });
  });

  it('takes images with channels', () => {
    const trainImages = named('a', [2, 1, 1, 2], [1, 2, 3, 4]);
    const testImages = named('c', [1, 1, 1, 2], [6, 7]);
    expect(readMnist({ ...PARTS, trainImages, testImages }).imageShape).toEqual([1, 1, 2]);
  });

  it.each([
    [{ trainLabels: named('b', [1], [5]) }, 'b has 1 labels, but a has 2 images'],
    [{ testLabels: named('d', [1], [10]) }, 'd: label number 0 is 10; labels are 0 to 9'],
    [{ trainImages: named('a', [2], [1, 2]) }, 'a: the shape is [2]'],
    [{ trainImages: named('a', [0, 1, 2], []) }, 'a: the shape is [0, 1, 2]'],
    [{ testLabels: named('d', [1, 1, 1], [1]) }, 'd: the shape is [1, 1, 1]'],
    [
      { testImages: named('c', [1, 2, 1], [6, 7]) },
      'c: the images are [2, 1, 1], but those of a are [1, 2, 1]',
    ],
  ])('refuses files that do not belong together: %#', (over, message) => {
    expect(() => readMnist({ ...PARTS, ...over })).toThrow(message);
  });
});

describe('readMnistDirectory', () => {
  it('finds plain files and .gz, in the directory and in its folder mnist', async () => {
    for (const files of [TINY_FILES, TINY_MIRROR])
      for (const inside of ['', 'mnist']) {
        const folder = await temporaryFolder();
        await writeFiles(join(folder, inside), files);
        const { train, test, imageShape } = await readMnistDirectory(folder);
        expect([train.count, test.count, imageShape]).toEqual([3, 2, [2, 2, 1]]);
        expect([...train.labels]).toEqual([7, 0, 9]);
      }
  });

  it('names what is missing', async () => {
    const folder = await temporaryFolder();
    await writeFiles(join(folder, 'mnist'), new Map([...TINY_FILES].slice(0, 3)));
    await expect(readMnistDirectory(folder)).rejects.toThrow(
      `${join(folder, 'mnist')} lacks t10k-labels-idx1-ubyte / t10k-labels-idx1-ubyte.gz.`,
    );
  });

  it('takes a folder with one of the files for the one that was meant', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, new Map([...TINY_FILES].slice(1, 2)));
    await expect(readMnistDirectory(folder)).rejects.toThrow(
      `${folder} lacks train-images-idx3-ubyte / train-images-idx3-ubyte.gz, t10k-images`,
    );
  });

  it('lists all that was looked for when there is nothing', async () => {
    const folder = await temporaryFolder();
    const reading = readMnistDirectory(folder);
    await expect(reading).rejects.toMatchObject({ code: 'missingFile' });
    await expect(reading).rejects.toThrow(/train-images.*train-labels.*t10k-images.*t10k-labels/);
    await expect(reading).rejects.toThrow(`is in ${folder} or ${join(folder, 'mnist')}.`);
    const nowhere = join(folder, 'nowhere');
    await expect(readMnistDirectory(nowhere)).rejects.toThrow(
      `is in ${nowhere} or ${join(nowhere, 'mnist')} (ENOENT: no such file or directory`,
    );
  });
});

describe.skipIf(MNIST_IS_MISSING)(`the real MNIST${skippedWithout('mnist', MNIST_IS_MISSING)}`, () => {
  it('has its well-known numbers', async () => {
    const { train, test, imageShape } = await readMnistDirectory(DATA_DIR);
    expect([train.count, test.count, imageShape]).toEqual([60_000, 10_000, [28, 28, 1]]);
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect([...test.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    // the mean that everybody normalises with
    let sum = 0;
    for (const pixel of train.images) sum += pixel;
    expect(sum / train.images.length / 255).toBeCloseTo(0.1307, 4);
  });
});
