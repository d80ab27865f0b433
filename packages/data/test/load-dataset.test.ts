import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../src/load-dataset.ts';
import { localServer, served } from './support/local-server.ts';
import { DATA_DIR, MNIST_IS_MISSING, skippedWithout } from './support/real-data.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { TINY_FILES, writeFiles } from './support/tiny-mnist.ts';

const noNetwork: typeof globalThis.fetch = () => Promise.reject(new Error('no network'));

describe('loadDataset', () => {
  it('gives the digits by their own name without a notice', async () => {
    const cacheDir = await temporaryFolder();
    await writeFiles(join(cacheDir, 'digits-v1'), TINY_FILES);
    const loaded = await loadDataset('digits', { cacheDir });
    expect(loaded.dataset).toMatchObject({ name: 'digits', source: 'built-in' });
    expect(loaded).not.toHaveProperty('notice');
  });

  it('asks the public mirrors for MNIST and CIFAR-10', async () => {
    const cacheDir = await temporaryFolder();
    await writeFiles(join(cacheDir, 'digits-v1'), TINY_FILES);
    const mnist = await loadDataset('mnist', { cacheDir, fetch: noNetwork });
    expect(mnist.notice).toContain(
      'MNIST could not be had (storage.googleapis.com: no network; ossci-datasets.s3.amazonaws.com: no network)',
    );
    const cifar10 = await loadDataset('cifar10', { cacheDir, fetch: noNetwork });
    expect(cifar10.notice).toContain('CIFAR-10 could not be had (www.cs.toronto.edu: no network)');
    expect([mnist.dataset.name, cifar10.dataset.name]).toEqual(['digits', 'digits']);
  });

  it('replaces neither data set where the directory does not hold it', async () => {
    const dataDir = await temporaryFolder();
    const mnist = loadDataset('mnist', { dataDir, cacheDir: dataDir, fetch: noNetwork });
    await expect(mnist).rejects.toThrow('MNIST: none of train-images-idx3-ubyte');
    const cifar10 = loadDataset('cifar10', { dataDir, cacheDir: dataDir, fetch: noNetwork });
    await expect(cifar10).rejects.toThrow(
      /^CIFAR-10: none of data_batch_1.bin, .*cifar-10-binary.tar.gz is in/,
    );
  });

  it('refuses what it cannot mean', async () => {
    await expect(loadDataset('digits', { dataDir: '/data' })).rejects.toThrow('drawn, not read from /data');
    // @ts-expect-error -- a name that only JavaScript would let through
    await expect(loadDataset('imagenet')).rejects.toThrow(
      'no data set "imagenet"; give mnist, cifar10 or digits',
    );
  });
});

describe.skipIf(MNIST_IS_MISSING)(`with the real MNIST${skippedWithout('mnist', MNIST_IS_MISSING)}`, () => {
  it('downloads from a mirror and passes the published checksums', async () => {
    const files = join(DATA_DIR, 'mnist');
    const names = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'];
    const more = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'];
    const stored = new Map<string, Uint8Array>();
    for (const name of [...names, ...more]) stored.set(name, await readFile(join(files, name)));
    const server = await localServer((asked) => served(stored.get(asked.file), asked));
    const cacheDir = await temporaryFolder();
    const { dataset, notice } = await loadDataset('mnist', { cacheDir, mirrors: [server.url] });
    expect(notice).toBeUndefined();
    expect(dataset).toMatchObject({ name: 'mnist', source: server.host, imageShape: [28, 28, 1] });
    expect([dataset.train.count, dataset.test.count]).toEqual([60_000, 10_000]);
    const again = await loadDataset('mnist', { cacheDir, fetch: noNetwork });
    expect(again.dataset.source).toBe('cache');
  });
});
