import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** No such host: what a page asks it for is read from a folder. */
const ORIGIN = 'http://batchwise.test';

/**
 * Opens a page with one module script in a folder and waits until it has run.
 * @param imports Files of the folder by the names they are imported under.
 * @returns What the script printed, line by line, and the errors that the page met.
 */
export async function runInPage(
  page: Page,
  folder: string,
  { script, imports }: { script: string; imports: Readonly<Record<string, string>> },
): Promise<{ printed: readonly string[]; errors: readonly string[] }> {
  const printed: string[] = [];
  const errors: string[] = [];
  page.on('console', (message) => printed.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  const map = JSON.stringify({ imports });
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${map}</script>
<script type="module">${script}
document.title = 'done';</script>`;
  await page.route(`${ORIGIN}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = join(folder, path);
    if (path === '/') await route.fulfill({ contentType: 'text/html', body: html });
    else if (existsSync(file))
      await route.fulfill({ contentType: 'text/javascript', body: readFileSync(file) });
    else await route.fulfill({ status: 404 });
  });
  await page.goto(ORIGIN);
  await page
    .waitForFunction('document.title === "done"', undefined, { timeout: 30_000 })
    .catch((error: Error) => {
      errors.push(error.message);
    });
  return { printed, errors };
}
