import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTensorflow, linkTensorflow } from '../src/link.ts';
import { temporaryFolder, writeFiles } from './fake-machine.ts';

const HEADER = 'include/tensorflow/c/c_api.h';

describe('findTensorflow', () => {
  it.each([
    ['the C archive', ['lib/libtensorflow.so.2', HEADER], 'lib', 'include'],
    ["a Python's package", ['libtensorflow_cc.so.2', HEADER], '.', 'include'],
    [
      'the folder around it',
      ['tensorflow/libtensorflow_cc.so.2', `tensorflow/${HEADER}`],
      'tensorflow',
      'tensorflow/include',
    ],
  ])('finds %s', async (_name, files, libraries, headers) => {
    const folder = await temporaryFolder();
    await writeFiles(folder, files);
    expect(await findTensorflow(folder)).toEqual({
      libraries: join(folder, libraries),
      headers: join(folder, headers),
    });
  });

  it('takes neither headers nor libraries alone', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, [HEADER, 'lib/libtensorflow_framework.so.2']);
    await expect(findTensorflow(folder)).rejects.toThrow('holds no TensorFlow');
  });
});

describe('linkTensorflow', () => {
  it("gives each library the linker's name, and puts NVIDIA's where TensorFlow looks for them", async () => {
    const folder = await temporaryFolder();
    const files = [HEADER, 'libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'python/other.so'];
    await writeFiles(join(folder, 'site/tensorflow'), files);
    await writeFiles(join(folder, 'site/nvidia'), ['cublas/lib/libcublas.so.12']);
    const target = join(folder, 'package');
    await linkTensorflow(target, join(folder, 'site/tensorflow'), true);
    const read = (name: string): Promise<string> => readFile(join(target, 'deps', name), 'utf8');
    expect(await read('lib/libtensorflow.so')).toBe('libtensorflow_cc.so.2');
    expect(await read('lib/libtensorflow_framework.so')).toBe('libtensorflow_framework.so.2');
    expect(await read(HEADER)).toBe(HEADER);
    // From deps/lib, where libtensorflow is loaded from, this is $ORIGIN/../nvidia/cublas/lib.
    expect(await read('lib/../nvidia/cublas/lib/libcublas.so.12')).toBe('cublas/lib/libcublas.so.12');
    expect(await readlink(join(target, 'deps/nvidia'))).toBe('../../site/nvidia');
  });

  it('keeps the names of an archive that has them', async () => {
    const folder = await temporaryFolder();
    const names = [
      'libtensorflow.so',
      'libtensorflow.so.2',
      'libtensorflow_framework.so',
      'libtensorflow_framework.so.2',
    ];
    await writeFiles(folder, [HEADER, ...names.map((name) => `lib/${name}`)]);
    await linkTensorflow(join(folder, 'package'), folder, false);
    for (const name of names)
      expect(await readlink(join(folder, 'package/deps/lib', name))).toBe(join(folder, 'lib', name));
  });
});
