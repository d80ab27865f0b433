import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pack, packOptions } from '../../tools/gpu-check.mjs';
import { PACKED, copyPackages, neededPackages } from '../../tools/gpu-check/packed-files.mjs';
import {
  packArchive,
  readChecksums,
  readParts,
  unpackArchive,
  writeChecksums,
  writeParts,
} from '../../tools/gpu-check/parts.mjs';
import { root } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';

async function* pieces(...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let next = 0;
  for (const size of sizes) yield Uint8Array.from({ length: size }, () => next++ % 256);
}

describe('an archive in parts', () => {
  it.each([
    { sizes: [10], lengths: [4, 4, 2] },
    { sizes: [3, 5], lengths: [4, 4] },
    { sizes: [1, 1, 1], lengths: [3] },
    { sizes: [], lengths: [0] },
  ])('of pieces $sizes has files of $lengths bytes', async ({ sizes, lengths }) => {
    const folder = temporaryFolder();
    const { parts, bytes } = await writeParts(pieces(...sizes), { folder, name: 'a', partBytes: 4 });
    const files = lengths.map((_, i) => `a.part-00${i}`);
    expect(parts.map(({ file }) => file)).toEqual(files);
    expect(files.map((file) => readFileSync(join(folder, file)).length)).toEqual(lengths);
    const whole = Buffer.concat(files.map((file) => readFileSync(join(folder, file))));
    expect([...whole]).toEqual(Array.from({ length: bytes }, (_, i) => i));
    expect(bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
  });

  it('has a list of checksums that sha256sum reads, and that gives the parts back in order', async () => {
    const folder = temporaryFolder();
    const node = await writeParts(pieces(9), { folder, name: 'node', partBytes: 4 });
    const app = await writeParts(pieces(3), { folder, name: 'native-gpu', partBytes: 4 });
    await writeChecksums(folder, [...node.parts, ...app.parts]);
    const { status, stdout } = spawnSync('sha256sum', ['-c', 'SHA256SUMS'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ status, ok: stdout.match(/: OK/g)?.length }).toEqual({ status: 0, ok: 4 });
    expect([...(await readChecksums(folder))]).toEqual([
      ['node', node.parts],
      ['native-gpu', app.parts],
    ]);
    writeFileSync(join(folder, 'SHA256SUMS'), 'abc  node.part-000\n');
    await expect(readChecksums(folder)).rejects.toThrow('names no part: abc  node.part-000');
  });

  /** A packed tree with a program and a link, in parts of 100 bytes. */
  async function packed() {
    const [from, folder, target] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const content = Array.from({ length: 200 }, (_, i) => (i * i * 7919) % 1009).join(' ');
    writeTree(from, { 'a/one.txt': content, 'b/run.sh': 'exit 0', 'left-out.txt': '' });
    chmodSync(join(from, 'b/run.sh'), 0o755);
    symlinkSync('../a/one.txt', join(from, 'b/link'));
    const { parts } = await packArchive({ from, names: ['a', 'b'] }, { folder, name: 'x', partBytes: 100 });
    return { content, folder, parts, target };
  }

  it('unpacks to what was packed', async () => {
    const { content, folder, parts, target } = await packed();
    expect(parts.length).toBeGreaterThan(3);
    await unpackArchive({ folder, parts }, target);
    expect(readdirSync(target).sort()).toEqual(['a', 'b']);
    expect(readFileSync(join(target, 'b/link'), 'utf8')).toBe(content);
    expect(lstatSync(join(target, 'b/link')).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(target, 'b/run.sh')).mode & 0o777).toBe(0o755);
  });

  it('names the part that is damaged, or missing', async () => {
    const { folder, parts, target } = await packed();
    const file = join(folder, 'x.part-002');
    const content = readFileSync(file);
    content[50] = (content[50] ?? 0) ^ 1;
    writeFileSync(file, content);
    await expect(unpackArchive({ folder, parts }, target)).rejects.toThrow('x.part-002 is damaged');
    rmSync(file);
    await expect(unpackArchive({ folder, parts }, target)).rejects.toThrow('x.part-002 cannot be read');
    const first = readParts(folder, parts);
    expect((await first.next()).value).toHaveLength(100);
  });

  it('says what tar had to say', async () => {
    const folder = temporaryFolder();
    const packing = packArchive({ from: folder, names: ['nothing'] }, { folder, name: 'x' });
    await expect(packing).rejects.toThrow(/tar .* ended with 2: .*nothing/s);
  });
});

describe('the packed packages', () => {
  it('are those that are run, with all that they need and no tool beside', () => {
    const places = neededPackages(root, PACKED);
    const names = [
      'webgpu',
      'vite',
      'cli-progress',
      '@batchwise/core',
      '@batchwise/backend',
      '@batchwise/tuner',
    ];
    const engines = ['cpu', 'wasm', 'webgpu'].map((engine) => `@tensorflow/tfjs-backend-${engine}`);
    for (const name of [...names, ...engines]) expect(places).toContain(`node_modules/${name}`);
    for (const name of ['nx', 'eslint', 'typescript', 'playwright-core', 'prettier', 'tsup'])
      expect(places).not.toContain(`node_modules/${name}`);
  });

  const manifest = (name: string, more: object = {}) => ({ name, version: '1.0.0', ...more });
  const tree = {
    'package.json': manifest('root', { workspaces: ['packages/*'] }),
    'packages/app/package.json': manifest('app', { files: ['dist', 'src'], dependencies: { a: '1' } }),
    'packages/app/dist/index.js': '',
    'packages/app/dist/index.js.map': '',
    'packages/app/src/index.ts': '',
    'packages/app/src/table.json': '{}',
    'packages/app/test/app.test.js': '',
    'node_modules/a/package.json': manifest('a', {
      dependencies: { b: '2', c: '1', gone: '1' },
      optionalDependencies: { gone: '1' },
      peerDependencies: { peer: '1', noPeer: '1' },
    }),
    'node_modules/a/index.js': '',
    'node_modules/a/index.d.ts': '',
    [`node_modules/a/dist/${process.platform}-${process.arch}/a.node`]: '',
    'node_modules/a/dist/win32-ia32/a.node': '',
    'node_modules/a/node_modules/b/package.json': manifest('b', { dependencies: { c: '1' } }),
    'node_modules/a/node_modules/unused/package.json': manifest('unused'),
    'node_modules/b/package.json': manifest('b'),
    'node_modules/c/package.json': manifest('c', { dependencies: { a: '1' } }),
    'node_modules/peer/package.json': manifest('peer'),
    'node_modules/other/package.json': manifest('other', { dependencies: { gone: '1' } }),
  };
  function clone(): string {
    const folder = temporaryFolder();
    writeTree(folder, tree);
    symlinkSync('../packages/app', join(folder, 'node_modules/app'));
    return folder;
  }

  it('are found as Node finds them, the nearest first', () => {
    expect(neededPackages(clone(), ['app'])).toEqual(
      ['a', 'a/node_modules/b', 'app', 'c', 'peer'].map((name) => `node_modules/${name}`),
    );
    expect(() => neededPackages(clone(), ['other'])).toThrow('gone is not installed: run');
  });

  it('are copied as they run, a workspace as it was built', () => {
    const [folder, target] = [clone(), temporaryFolder()];
    copyPackages(folder, neededPackages(folder, ['app']), target);
    const copied = readdirSync(target, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'package.json')
      .map((entry) => join(entry.parentPath, entry.name).slice(target.length + 1));
    expect(copied.sort()).toEqual([
      `node_modules/a/dist/${process.platform}-${process.arch}/a.node`,
      'node_modules/a/index.js',
      'node_modules/app/dist/index.js',
    ]);
    expect(existsSync(join(target, 'node_modules/a/node_modules/unused'))).toBe(false);
    rmSync(join(folder, 'packages/app/dist'), { recursive: true });
    expect(() => copyPackages(folder, ['node_modules/app'], target)).toThrow('packages/app is not built');
  });
});

describe('the options of gpu-check', () => {
  it('have the runtime that is there by default, in the build folder', () => {
    expect(packOptions([])).toEqual({
      out: join(root, 'dist', 'gpu-check'),
      native: undefined,
      noCuda: false,
    });
    expect(packOptions(['--out', 'x', '--native', 'cpu', '--no-cuda'])).toEqual({
      out: resolve('x'),
      native: 'cpu',
      noCuda: true,
    });
  });

  it.each([
    [['--native', 'tpu'], '--native is tpu; give gpu, cpu or none.'],
    [['--native', 'gpu', '--no-cuda'], 'do not go together'],
    [['--cuda'], "Unknown option '--cuda'"],
  ])('%j are refused', (args, message) => expect(() => packOptions(args)).toThrow(message));

  it('take no folder with other things in it', async () => {
    const out = join(temporaryFolder(), 'mine');
    mkdirSync(out);
    writeFileSync(join(out, 'thesis.txt'), 'all of it');
    await expect(pack({ out, native: 'none', noCuda: false })).rejects.toThrow(
      'is not empty, and not a pack',
    );
    expect(readdirSync(out)).toEqual(['thesis.txt']);
  });
});
