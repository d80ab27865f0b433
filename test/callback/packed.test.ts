import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../tools/child-process.mjs';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { requireBuild } from '../support/repository.ts';
import { makeFolder, writeTree } from '../support/temporary-folder.ts';
import { makeProject } from './project.ts';

/** Of `train.cjs`: the line y = x₁ + x₂ is learned, by both ways, and nothing stays behind but two models. */
const expected = {
  tensorsLeft: 0,
  losses: [expect.any(Number), expect.any(Number)],
  epochs: [8, 8],
  measured: expect.any(Number),
  next: 8,
  reason: 'start',
};

function expectTrained(answer: { losses: number[]; measured: number }): void {
  expect(answer).toEqual(expected);
  for (const loss of answer.losses) expect(loss).toBeLessThan(0.01);
  expect(answer.measured).toBeGreaterThan(2);
}

const folder = makeFolder();

beforeAll(async () => {
  requireBuild();
  await makeProject(folder);
  copyFileSync(fileURLToPath(new URL('train.cjs', import.meta.url)), join(folder, 'train.cjs'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('@batchwise/callback from its tarball, in an empty project', () => {
  it('works in a CommonJS program', async () => {
    writeTree(folder, {
      'use.cjs': `
        const tf = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
        require('@tensorflow/tfjs-backend-cpu');
        tf.enableProdMode();
        require('./train.cjs')(tf, require('@batchwise/callback')).then((answer) => console.log(JSON.stringify(answer)));`,
    });
    const { exitCode, output } = await run({ program: process.execPath, args: ['use.cjs'] }, { cwd: folder });
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expectTrained(JSON.parse(output.slice(output.indexOf('{'))));
  });

  it('works in a browser', async ({ skip }) => {
    if (chromiumPath === undefined) return skip('no Chromium or Chrome is installed');
    writeTree(folder, {
      'page.js': `
        import * as core from '@tensorflow/tfjs-core';
        import * as layers from '@tensorflow/tfjs-layers';
        import '@tensorflow/tfjs-backend-cpu';
        import * as callback from '@batchwise/callback';
        import train from './train.cjs';
        globalThis.answer = train({ ...core, ...layers }, callback);`,
    });
    const result = await build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      build: { write: false, minify: false, rollupOptions: { input: join(folder, 'page.js') } },
    });
    const [bundle] = [result].flat() as Rollup.RollupOutput[];
    const chunk = bundle?.output[0];
    if (chunk?.type !== 'chunk') throw new Error('The bundle has no script.');
    const browser = await launchChromium(chromiumPath);
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: chunk.code, type: 'module' });
      await page.waitForFunction('globalThis.answer !== undefined');
      expectTrained(await page.evaluate('globalThis.answer'));
    } finally {
      await browser.close();
    }
  });
});
