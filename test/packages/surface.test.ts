import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { entryPoints, publicNames } from '../support/public-surface.ts';
import { byName, libraries, requireBuild } from '../support/repository.ts';

beforeAll(requireBuild);

describe.each(byName(libraries))('%s', (_name, library) => {
  const entries = entryPoints(library);
  const rows = entries.map((entry) => [entry.subpath, entry] as const);

  it('exports what its list says (a wanted change: run vitest with -u and review the diff)', async () => {
    const lines = entries.flatMap((entry) => {
      const names = publicNames(entry).map(({ name, isValue }) => `${isValue ? 'value' : 'type '} ${name}`);
      return [entry.subpath, ...names.map((line) => `  ${line}`)];
    });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`surface/${basename(library.folder)}.txt`);
  });

  it.each(rows)('has the same values in the build of %s', async (_subpath, entry) => {
    const built: object = await import(/* @vite-ignore */ pathToFileURL(entry.built).href);
    const values = publicNames(entry).filter(({ isValue }) => isValue);
    expect(Object.keys(built).sort()).toEqual(values.map(({ name }) => name));
  });

  it.each(rows)('documents each export of %s', (_subpath, entry) => {
    const undocumented = publicNames(entry).filter(({ isDocumented }) => !isDocumented);
    expect(undocumented.map(({ name }) => name)).toEqual([]);
  });
});
