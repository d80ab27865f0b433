import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../src/assets.ts';
import { announcedBytes } from '../src/wheel.ts';
import { run } from '../src/run.ts';
import { temporaryFolder } from './fake-machine.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Makes a wheel with the files, each holding its own name. */
const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    for name in sys.argv[2:]:
        wheel.writestr(name, name)
`;

describe.skipIf(!hasPython)('unpack_wheels.py (needs python3)', () => {
  it('takes libraries and headers, leaves the rest, and tells its progress and the checksum', async () => {
    const folder = await temporaryFolder();
    const wheel = join(folder, 'tensorflow-2.21.0-cp311-cp311-linux.whl');
    const wanted = [
      'tensorflow/libtensorflow_cc.so.2',
      'tensorflow/include/a/b.h',
      'nvidia/cublas/lib/libcublas.so.12',
      'nvidia/cuda_nvcc/nvvm/libdevice.bc',
    ];
    const others = ['tensorflow/python/x.py', 'nvidia/cublas/include/cublas.h', '../outside.txt'];
    await run({ program: 'python3', args: ['-c', MAKE_WHEEL, wheel, ...wanted, ...others] });
    const site = join(folder, 'site');
    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    const { exitCode } = await run({
      program: 'python3',
      args: [assetPath('unpack_wheels.py'), site, wheel],
      onLine,
    });
    expect(exitCode).toBe(0);
    const files = (await readdir(site, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    expect(files.map(({ parentPath, name }) => join(parentPath, name)).sort()).toEqual(
      wanted.map((name) => join(site, name)).sort(),
    );
    const total = wanted.join('').length;
    const sum = createHash('sha256')
      .update(await readFile(wheel))
      .digest('hex');
    expect(lines).toEqual([`${total} ${total}`, `wheel tensorflow 2.21.0 ${sum}`]);
  });
});

describe('check_build.mjs', () => {
  /** A package that computes a product, and says which TensorFlow it has. */
  const packageWith = (product: string): string => `
    const tensor = { matMul: () => ({ dataSync: () => [${product}] }) };
    module.exports = {
      tidy: (work) => work(),
      tensor2d: () => tensor,
      backend: () => ({ isUsingGpuDevice: require('node:util').isNullOrUndefined(0), binding: { TF_Version: '2.21.0' } }),
    };`;

  it.each([
    ['19, 22, 43, 50', 0, '{"tensorflow":"2.21.0","gpu":false}\n'],
    ['19, 22, 43, 51', 1, expect.stringContaining('A matrix product came out as 19,22,43,51.')],
  ])('computes with the build: %s', async (product, exitCode, output) => {
    const entry = join(await temporaryFolder(), 'index.js');
    await writeFile(entry, packageWith(product));
    const ending = await run({ program: process.execPath, args: [assetPath('check_build.mjs'), entry] });
    expect(ending).toEqual({ exitCode, output });
  });
});

describe('the lists of checksums', () => {
  it.each(['cpu-2.21.0-linux-x64.txt', 'gpu-2.21.0-linux-x64.txt'])('%s pins each wheel', (name) => {
    const text = readFileSync(assetPath(`locks/${name}`), 'utf8').replaceAll(/\\\n\s*/g, '');
    const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^[\w-]+==[\d.]+( --hash=sha256:[\da-f]{64})+$/);
  });
});

describe('announcedBytes', () => {
  it("reads the sizes in pip's output", () => {
    expect(announcedBytes('  Downloading tensorflow_cpu-2.21.0-cp311.whl (273.8 MB)')).toBeCloseTo(
      273.8e6,
      0,
    );
    expect(announcedBytes('Downloading https://a/b.whl (16 kB)')).toBe(16e3);
    expect(announcedBytes('Saved ./tensorflow_cpu-2.21.0-cp311.whl')).toBe(0);
    expect(announcedBytes('  Downloading b.whl.metadata (2.1 kB)')).toBe(0);
  });
});
