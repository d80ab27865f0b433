import { readFileSync, rmSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pack } from '../support/packed.ts';
import { byName, libraries, publishable, requireBuild } from '../support/repository.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const destination = makeFolder();
let tarballs: ReadonlyMap<string, string> = new Map();

beforeAll(async () => {
  requireBuild();
  tarballs = await pack(publishable, destination);
});
afterAll(() => rmSync(destination, { recursive: true, force: true }));

const tarballOf = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(tarballs.get(name) ?? ''));

describe('as npm would publish it', () => {
  it.each(byName(publishable))('%s is well packed (publint, strict)', async (name) => {
    const { messages, pkg } = await publint({ pack: { tarball: tarballOf(name).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it.each(byName(libraries))(
    '%s has types for node10, node16 and bundlers, ESM and CommonJS (attw)',
    async (name) => {
      const result = await checkPackage(createPackageFromTarballData(tarballOf(name)));
      expect(result).toMatchObject({ types: { kind: 'included' }, problems: [] });
    },
  );
});
