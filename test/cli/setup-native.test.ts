import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { batchwise, temporaryFolder } from './batchwise.ts';

describe('batchwise setup-native', () => {
  it('explains itself', async () => {
    const { code, stdout } = await batchwise(['setup-native', '--help']);
    expect(code).toBe(0);
    for (const word of ['--gpu', '--tensorflow <version>', '--from <where>', 'BATCHWISE_CACHE_DIR'])
      expect(stdout).toContain(word);
  });

  it('ends with 2 for a wrong command line', async () => {
    const { code, stderr } = await batchwise(['setup-native', '--tensorflow', 'latest']);
    expect(code).toBe(2);
    expect(stderr).toContain('Give a version in three parts, such as 2.21.0.');
  });

  it('ends with 1 and one line where something is missing, and leaves nothing', async () => {
    const [cacheDir, emptyPath] = [await temporaryFolder(), await temporaryFolder()];
    const env = { BATCHWISE_CACHE_DIR: cacheDir, PATH: emptyPath };
    const { code, stderr } = await batchwise(['setup-native'], { env });
    expect(code).toBe(1);
    expect(stderr).toBe(
      'batchwise: npm is not on the path; it comes with Node from nodejs.org (Debian: apt-get install npm).\n',
    );
    expect(await readdir(join(cacheDir, 'native'))).toEqual([]);
  });
});
