import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
    expect(await readdir(join(cacheDir, 'native'))).toEqual(['cpu.failed.json']);
  });
});

describe('batchwise setup-native --once', () => {
  it('tells what is missing, remembers it, and is no error', async () => {
    const [cacheDir, emptyPath] = [await temporaryFolder(), await temporaryFolder()];
    const env = { BATCHWISE_CACHE_DIR: cacheDir, PATH: emptyPath };
    const first = await batchwise(['setup-native', '--once'], { env });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      /^Native TensorFlow is not set up\. .+ To try again: npx batchwise setup-native\n$/,
    );
    const isKnown = process.platform === 'linux' && process.arch === 'x64';
    expect(first.stdout).toContain(isKnown ? 'needs a C++ compiler (Debian:' : 'It was not tried on');
    const second = await batchwise(['setup-native', '--once'], { env });
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(
      /^Native TensorFlow is not set up: .{20,70} To try again: npx batchwise setup-native\n$/,
    );
  });

  it('has nothing to say where there is one', async () => {
    const cache = await temporaryFolder();
    const entry = join(cache, 'native/cpu-1/node_modules/@tensorflow/tfjs-node/dist/index.js');
    await mkdir(dirname(entry), { recursive: true });
    await writeFile(entry, '');
    const record = { schema: 'batchwise.native/1', folder: 'cpu-1', tensorflow: '2.21.0', origin: 'pip' };
    await writeFile(join(cache, 'native/cpu.json'), JSON.stringify(record));
    const env = { BATCHWISE_CACHE_DIR: cache, PATH: '' };
    expect(await batchwise(['setup-native', '--once'], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('chooses the way itself', async () => {
    const { code, stderr } = await batchwise(['setup-native', '--once', '--from', 'pip']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("cannot be used with option '--from <where>'"),
    ]);
  });
});
