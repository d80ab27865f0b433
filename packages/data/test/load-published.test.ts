import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPublished } from '../src/load-published.ts';
import { localServer, served } from './support/local-server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { TINY_FILES, TINY_MIRROR, tinyMnist, writeFiles } from './support/tiny-mnist.ts';

/** The words of a machine without a network. */
const noNetwork: typeof globalThis.fetch = () => {
  const cause = new Error('getaddrinfo ENOTFOUND mirror.example');
  return Promise.reject(new TypeError('fetch failed', { cause }));
};
const NO_MIRROR = { fetch: noNetwork, mirrors: ['https://mirror.example/'] };

/** A cache whose digits are the tiny files, told from MNIST by their folder, so that none need be drawn. */
async function cacheWithDigits(): Promise<string> {
  const cacheDir = await temporaryFolder();
  await writeFiles(join(cacheDir, 'digits-v1'), TINY_FILES);
  return cacheDir;
}

const tinyServer = () => localServer((asked) => served(TINY_MIRROR.get(asked.file), asked));

describe('loadPublished', () => {
  it('reads the directory that is given', async () => {
    const dataDir = await temporaryFolder();
    await writeFiles(join(dataDir, 'mnist'), TINY_FILES);
    const { dataset, notice } = await loadPublished(tinyMnist, {
      dataDir,
      cacheDir: '/nowhere',
      ...NO_MIRROR,
    });
    expect(dataset).toMatchObject({ name: 'mnist', source: dataDir, classes: 10, imageShape: [2, 2, 1] });
    expect([...dataset.train.labels]).toEqual([7, 0, 9]);
    expect(notice).toBeUndefined();
  });

  it('replaces nothing where that directory does not hold the files', async () => {
    const server = await tinyServer();
    const [dataDir, cacheDir] = [await temporaryFolder(), await cacheWithDigits()];
    const loading = loadPublished(tinyMnist, { dataDir, cacheDir, mirrors: [server.url] });
    await expect(loading).rejects.toMatchObject({ code: 'missingFile' });
    expect(server.asked).toEqual([]);
  });

  it('downloads once, then reads the cache', async () => {
    const server = await tinyServer();
    const cacheDir = await temporaryFolder();
    const first = await loadPublished(tinyMnist, { cacheDir, mirrors: [server.url] });
    expect(first.dataset.source).toBe(server.host);
    expect([...first.dataset.test.images]).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
    expect(server.asked.map(({ file }) => file)).toEqual([...TINY_MIRROR.keys()]);
    const second = await loadPublished(tinyMnist, { cacheDir, ...NO_MIRROR });
    expect(second).toEqual({ dataset: { ...first.dataset, source: 'cache' } });
  });

  it('fetches a damaged or half-written file of the cache again, and only that', async () => {
    const server = await tinyServer();
    const cacheDir = await temporaryFolder();
    await loadPublished(tinyMnist, { cacheDir, mirrors: [server.url] });
    const name = 't10k-images-idx3-ubyte.gz';
    const path = join(cacheDir, 'mnist', name);
    const whole = await readFile(path);
    for (const damage of [whole.subarray(0, 20), Buffer.alloc(whole.length, 1), Buffer.alloc(0)]) {
      await writeFile(path, damage);
      server.asked.length = 0;
      const { dataset } = await loadPublished(tinyMnist, { cacheDir, mirrors: [server.url] });
      expect([...dataset.test.images]).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
      expect(server.asked).toEqual([{ file: name, from: undefined }]);
      expect(Buffer.compare(await readFile(path), whole)).toBe(0);
    }
  });

  it('falls back on the built-in digits with one line that says why', async () => {
    const cacheDir = await cacheWithDigits();
    const { dataset, notice } = await loadPublished(tinyMnist, { cacheDir, ...NO_MIRROR });
    expect(dataset).toMatchObject({ name: 'digits', source: 'built-in', classes: 10 });
    expect(notice).toBe(
      'MNIST could not be had (mirror.example: getaddrinfo ENOTFOUND); training on the built-in ' +
        'digits instead. --data-dir DIR uses your own copy.',
    );
  });

  it('asks no mirror when offline, and says what the cache lacks', async () => {
    const server = await tinyServer();
    const cacheDir = await cacheWithDigits();
    const options = { cacheDir, mirrors: [server.url], offline: true };
    const { dataset, notice } = await loadPublished(tinyMnist, options);
    expect(dataset.name).toBe('digits');
    expect(notice).toContain(
      `offline, and in the cache ${join(cacheDir, 'mnist', 'train-images-idx3-ubyte.gz')}`,
    );
    expect(server.asked).toEqual([]);
    await loadPublished(tinyMnist, { cacheDir, mirrors: [server.url] });
    expect((await loadPublished(tinyMnist, options)).dataset.source).toBe('cache');
  });

  it('falls back where the cache cannot be written', async () => {
    const server = await tinyServer();
    const cacheDir = await cacheWithDigits();
    await writeFile(join(cacheDir, 'mnist'), 'a file where a folder should be');
    const { dataset, notice } = await loadPublished(tinyMnist, { cacheDir, mirrors: [server.url] });
    expect(dataset.name).toBe('digits');
    expect(notice).toMatch(/^MNIST could not be had \(EEXIST|^MNIST could not be had \(ENOTDIR/);
  });

  it('ends at the signal instead of falling back', async () => {
    const cacheDir = await cacheWithDigits();
    const abort = new AbortController();
    const fetch: typeof globalThis.fetch = () => {
      abort.abort(new Error('enough'));
      return noNetwork('');
    };
    const options = { cacheDir, mirrors: NO_MIRROR.mirrors, fetch, signal: abort.signal };
    await expect(loadPublished(tinyMnist, options)).rejects.toThrow('enough');
    await expect(loadPublished(tinyMnist, options)).rejects.toThrow('enough');
  });
});
