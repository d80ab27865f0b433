import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEngine } from '@batchwise/backend/node';
import type { Browser, Page } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { firstLosses } from './first-losses.mjs';

const STEPS = 10;
const WHY_NOT = 'no Chromium or Chrome is installed';
const NO_ADAPTER = 'this browser has no WebGPU adapter';

/** The page's script with all that it imports, made of the sources. */
async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@batchwise/source', 'browser', 'import', 'default'] },
    build: {
      write: false,
      minify: false,
      rollupOptions: { input: fileURLToPath(new URL('page.mjs', import.meta.url)) },
    },
  });
  const [{ output } = { output: [] }] = [result].flat() as Rollup.RollupOutput[];
  const [chunk] = output;
  if (chunk?.type !== 'chunk') throw new Error('The bundle has no script.');
  return chunk.code;
}

const wasmFolder = join(
  dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')),
  '../wasm-out',
);

/** WebGPU is there for secure contexts only, of which localhost is one. */
function serve(script: string): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const respond = (type: string, body: string | Buffer): void => {
      response.writeHead(200, { 'content-type': type });
      response.end(body);
    };
    if (url === '/') respond('text/html', '<!doctype html><script type="module" src="/page.js"></script>');
    else if (url === '/page.js') respond('text/javascript', script);
    else if (/^\/[\w-]+\.wasm$/.test(url)) respond('application/wasm', readFileSync(join(wasmFolder, url)));
    else response.writeHead(404).end();
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

describe('training in a browser', () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  const problems: string[] = [];
  beforeAll(async () => {
    if (chromiumPath === undefined) return;
    server = await serve(await bundle());
    const args = ['--enable-unsafe-webgpu'];
    browser = await launchChromium(chromiumPath, args);
    page = await browser.newPage();
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('globalThis.lossesOn !== undefined');
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  type Losses = Awaited<ReturnType<typeof firstLosses>>;
  function expectSame(actual: Losses, expected: Losses): void {
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [network, losses] of Object.entries(expected)) {
      expect(actual[network]).toHaveLength(losses.length);
      for (const [step, loss] of losses.entries())
        expect(Math.abs((actual[network]?.[step] ?? NaN) - loss), `${network}, step ${step}`).toBeLessThan(
          1e-4,
        );
    }
    expect(problems).toEqual([]);
  }
  const hasAdapter = (): Promise<unknown> =>
    page.evaluate('globalThis.navigator.gpu?.requestAdapter().then(Boolean)');

  it.for(['wasm', 'webgpu'])('takes the steps that Node takes, on %s', async (engine, { skip }) => {
    skip(chromiumPath === undefined, WHY_NOT);
    skip(engine === 'webgpu' && (await hasAdapter()) !== true, NO_ADAPTER);
    const { tf } = await loadEngine('cpu');
    const actual: Losses = await page.evaluate(`lossesOn('${engine}', ${STEPS})`);
    expectSame(actual, await firstLosses(tf, STEPS));
  });

  it('goes on from the weights kept last when the GPU is taken away', async ({ skip }) => {
    skip(chromiumPath === undefined, WHY_NOT);
    skip((await hasAdapter()) !== true, NO_ADAPTER);
    const { tf } = await loadEngine('cpu');
    const actual: Losses = await page.evaluate(`lossesOn('webgpu', 5, 3)`);
    // Those of the start: the examples that follow are met by a model that has not been trained.
    const networks = ['dense'];
    const before = await firstLosses(tf, 3, { networks });
    const after = await firstLosses(tf, 2, { networks, from: 3 });
    const expected = Object.entries(before).map(([name, losses]) => [
      name,
      [...losses, ...(after[name] ?? [])],
    ]);
    expectSame(actual, Object.fromEntries(expected) as Losses);
  });
});
