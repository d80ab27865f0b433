import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDigits } from '../src/digits-cache.ts';
import { builtInDigits } from '../src/digits/built-in-digits.ts';
import type { ImageDataset } from '../src/image-dataset.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const sumOf = ({ train, test }: ImageDataset) => {
  const sum = createHash('sha256');
  for (const bytes of [train.images, train.labels, test.images, test.labels]) sum.update(bytes);
  return sum.digest('hex');
};
const DRAWN = builtInDigits({ trainCount: 300, testCount: 100 });

/** Draws fewer than are built in, and counts how often it was asked to. */
function countedDraw() {
  const draw = () => {
    draw.calls++;
    return DRAWN;
  };
  draw.calls = 0;
  return draw;
}

describe('loadDigits', () => {
  it('draws once, then reads the same from the cache', async () => {
    const cacheDir = await temporaryFolder();
    const draw = countedDraw();
    expect(await loadDigits(cacheDir, draw)).toBe(DRAWN);
    expect((await readdir(join(cacheDir, 'digits-v1'))).sort()).toEqual([
      't10k-images-idx3-ubyte.gz',
      't10k-labels-idx1-ubyte.gz',
      'train-images-idx3-ubyte.gz',
      'train-labels-idx1-ubyte.gz',
    ]);
    const read = await loadDigits(cacheDir, draw);
    expect(draw.calls).toBe(1);
    expect(sumOf(read)).toBe(sumOf(DRAWN));
    expect({ ...read, train: 0, test: 0 }).toEqual({ ...DRAWN, train: 0, test: 0 });
  });

  it('draws again where the cache is damaged, and mends it', async () => {
    const cacheDir = await temporaryFolder();
    const draw = countedDraw();
    await loadDigits(cacheDir, draw);
    const path = join(cacheDir, 'digits-v1', 'train-images-idx3-ubyte.gz');
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, whole.length / 2));
    expect(await loadDigits(cacheDir, draw)).toBe(DRAWN);
    expect(draw.calls).toBe(2);
    expect(Buffer.compare(await readFile(path), whole)).toBe(0);
  });

  it('keeps the digits in memory where the cache cannot be written', async () => {
    const cacheDir = join(await temporaryFolder(), 'file');
    await writeFile(cacheDir, '');
    expect(await loadDigits(cacheDir, countedDraw())).toBe(DRAWN);
  });
});
