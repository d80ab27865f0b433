import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replaceFile } from '../src/save-model.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'save-model-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

it('leaves one of the contents whole, and nothing else, where many write a file at once', async () => {
  const file = join(folder, 'model.json');
  const contents = Array.from({ length: 40 }, (_, index) => `${index} `.repeat(1 + 2000 * index));
  const writes = await Promise.allSettled(contents.map((content) => replaceFile(file, content)));
  expect(writes.filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(contents.indexOf(await readFile(file, 'utf8'))).toBeGreaterThanOrEqual(0);
  expect(await readdir(folder)).toEqual(['model.json']);
});

it('leaves the old file, and nothing else, where a write fails half way', async () => {
  const file = join(folder, 'model.json');
  await writeFile(file, 'old');
  const full = new Error('no space is left');
  const content = (function* () {
    yield 'a part';
    throw full;
  })();
  // writeFile takes it, and fails as on a disk that gets full.
  await expect(replaceFile(file, content as unknown as string)).rejects.toBe(full);
  expect(await readdir(folder)).toEqual(['model.json']);
  expect(await readFile(file, 'utf8')).toBe('old');
});
