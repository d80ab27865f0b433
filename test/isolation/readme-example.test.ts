import ts from 'typescript';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layerOf } from '../../tools/layers/table.mjs';
import { run } from '../../tools/child-process.mjs';
import { codeBlocks } from '../docs/code-blocks.ts';
import { runInPage } from '../support/browser-page.ts';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { byName, libraries, readText, requireBuild } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';
import { installAlone } from './install-alone.ts';
import { minifiedBytes } from './minified-bytes.ts';

/** Bytes of minified code that a package may add to a page, with all that it depends on. */
const LARGEST: Readonly<Record<string, number>> = { '@batchwise/sampler-weighted': 12_000 };

const pure = libraries.filter(({ manifest }) => layerOf(manifest)?.name === 'pure');

const transpiled = (code: string, module: ts.ModuleKind): string =>
  ts.transpileModule(code, { compilerOptions: { module, target: ts.ScriptTarget.ES2023 } }).outputText;

async function linesOf(file: string, cwd: string): Promise<readonly string[]> {
  const { exitCode, output } = await run({ program: process.execPath, args: [file] }, { cwd });
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  return output.trimEnd().split('\n');
}

let browser: Browser | undefined;
beforeAll(async () => {
  requireBuild();
  if (chromiumPath !== undefined) browser = await launchChromium(chromiumPath);
});
afterAll(() => browser?.close());

describe('the README example of a pure package, installed alone in an empty folder', () => {
  it.each(byName(pure))(
    '%s prints what it says, as ESM, as CommonJS and in a browser',
    async (name, member) => {
      const path = `${member.folder}/README.md`;
      const [example] = codeBlocks(path, readText(path));
      const code = example?.code ?? '';
      const folder = temporaryFolder();
      const installed = await installAlone(member, folder);
      const script = transpiled(code, ts.ModuleKind.ESNext);
      writeTree(folder, {
        'example.mjs': script,
        'example.cjs': transpiled(code, ts.ModuleKind.CommonJS),
        'all.mjs': `export * from '${name}';\n`,
      });

      const printed = await linesOf('example.mjs', folder);
      for (const line of printed) expect(code).toContain(`// ${line}`);
      expect(await linesOf('example.cjs', folder)).toEqual(printed);

      const page = await browser?.newPage();
      if (page) {
        const imports = Object.fromEntries(
          installed.map((each) => [each, `/node_modules/${each}/dist/index.js`]),
        );
        expect(await runInPage(page, folder, { script, imports })).toEqual({ printed, errors: [] });
      }
      expect(await minifiedBytes(folder, 'all.mjs')).toBeLessThan(LARGEST[name] ?? Infinity);
    },
  );

  it.skipIf(chromiumPath !== undefined)('no Chromium was found, so no page was opened', (context) =>
    context.skip('install Chromium or set CHROMIUM_PATH'),
  );
});
