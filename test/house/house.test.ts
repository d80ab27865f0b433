import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf } from '../../tools/layers/import-scan.mjs';
import { byName, publishable, readText } from '../support/repository.ts';
import { isAny, isCallOf, isInstanceof, places, sources } from './sources.ts';

const MAX_FILE_LINES = 300;
const MAX_README_LINES = 80;

const lineCount = (text: string): number => text.replace(/\n$/, '').split('\n').length;

describe('the sources', () => {
  it(`have at most ${MAX_FILE_LINES} lines per file`, () => {
    const long = sources.filter(({ text }) => lineCount(text) > MAX_FILE_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('never say any', () => expect(sources.flatMap((source) => places(source, isAny))).toEqual([]));
});

describe('the README', () => {
  it.each(byName(publishable))(`of %s has at most ${MAX_README_LINES} lines`, (_name, { folder }) => {
    expect(lineCount(readText(`${folder}/README.md`))).toBeLessThanOrEqual(MAX_README_LINES);
  });
});

describe('the training loop', () => {
  const core = sources.filter(({ path }) => path.startsWith('packages/core/src/'));
  const [loop] = core.filter(({ path }) => path === 'packages/core/src/train.ts');

  it('imports nothing but its own files', () => {
    const imported = core.flatMap(({ path, text }) =>
      importsOf(path, text).map(({ specifier = '' }) =>
        specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier,
      ),
    );
    expect(imported.filter((target) => !target.startsWith('packages/core/src/'))).toEqual([]);
    expect(imported).not.toEqual([]);
  });

  it('asks the controller in one place and branches on no class', () => {
    const count = (matches: Parameters<typeof places>[1]) =>
      loop === undefined ? NaN : places(loop, matches).length;
    expect({
      next: count(isCallOf('next')),
      recover: count(isCallOf('recover')),
      instanceof: count(isInstanceof),
    }).toEqual({ next: 1, recover: 1, instanceof: 0 });
  });
});
