import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { cacheDirectory, readCached } from '../src/cache.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { knownFile } from './support/tiny-mnist.ts';

describe('cacheDirectory', () => {
  it.each([
    ['linux', {}, ['home', '.cache', 'batchwise']],
    ['freebsd', { XDG_CACHE_HOME: 'xdg' }, ['xdg', 'batchwise']],
    ['linux', { XDG_CACHE_HOME: '', BATCHWISE_CACHE_DIR: '' }, ['home', '.cache', 'batchwise']],
    ['darwin', { XDG_CACHE_HOME: 'xdg' }, ['home', 'Library', 'Caches', 'batchwise']],
    ['win32', {}, ['home', 'AppData', 'Local', 'batchwise', 'Cache']],
    ['win32', { LOCALAPPDATA: 'local' }, ['local', 'batchwise', 'Cache']],
    ['win32', { LOCALAPPDATA: 'local', BATCHWISE_CACHE_DIR: 'chosen' }, ['chosen']],
    ['linux', { XDG_CACHE_HOME: 'xdg', BATCHWISE_CACHE_DIR: 'chosen' }, ['chosen']],
  ] as const)('on %s with %o', (platform, env, parts) => {
    expect(cacheDirectory({ platform, env, home: 'home' })).toBe(join(...parts));
  });

  it('reads the surroundings of this process by default', () => {
    vi.stubEnv('BATCHWISE_CACHE_DIR', '/somewhere/else');
    expect(cacheDirectory()).toBe('/somewhere/else');
    vi.unstubAllEnvs();
  });
});

describe('readCached', () => {
  const content = Uint8Array.of(1, 2, 3);
  const known = knownFile('file.gz', content);

  it('gives the content whatever the gzip wrapper, once its sum is right', async () => {
    const path = join(await temporaryFolder(), 'file.gz');
    for (const level of [1, 9]) {
      await writeFile(path, gzipSync(content, { level }));
      const answer = await readCached(path, known);
      expect(answer.found && [...answer.content]).toEqual([1, 2, 3]);
    }
  });

  it('takes the bytes as they are where those are hashed', async () => {
    const path = join(await temporaryFolder(), 'file.gz');
    const stored = gzipSync(content);
    await writeFile(path, stored);
    const answer = await readCached(path, { ...knownFile('file.gz', stored), hashed: 'asStored' });
    expect(answer.found && Buffer.compare(answer.content, stored)).toBe(0);
    expect(await readCached(path, { ...known, hashed: 'asStored' })).toMatchObject({ found: false });
  });

  it('tells an absent file from a damaged one', async () => {
    const path = join(await temporaryFolder(), 'file.gz');
    expect(await readCached(path, known)).toEqual({ found: false, reason: `${path} is not there` });
    await writeFile(path, gzipSync(Uint8Array.of(1, 2, 4)));
    const sums = expect.stringMatching(
      /is damaged: file\.gz: SHA-256 is [0-9a-f]{64}, expected 039058c6f2c0/,
    );
    expect(await readCached(path, known)).toEqual({ found: false, reason: sums });
    await writeFile(path, gzipSync(content).subarray(0, 12));
    const reason = expect.stringContaining('gzip data is damaged');
    expect(await readCached(path, known)).toEqual({ found: false, reason });
  });
});
