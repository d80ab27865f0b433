import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npmCommand, run } from '../../tools/child-process.mjs';
import { root } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';

const MINUTES = 60_000;
const OLDEST = '4.10.0';
const WHY_NOT = 'set BATCHWISE_OLDEST_TFJS=1 to run it: it downloads 25 MB from the npm registry';

const exact = (...packages: readonly string[]) =>
  Object.fromEntries(packages.map((name) => [`@tensorflow/tfjs-${name}`, OLDEST]));

describe('the oldest TensorFlow.js that @batchwise/callback takes', { timeout: 10 * MINUTES }, () => {
  it('passes all of its tests', async ({ skip }) => {
    if (process.env['BATCHWISE_OLDEST_TFJS'] !== '1') return skip(WHY_NOT);
    const folder = temporaryFolder();
    writeTree(folder, {
      'package.json': { private: true, dependencies: exact('core', 'layers', 'data', 'backend-cpu') },
    });
    const install = npmCommand([
      'install',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--legacy-peer-deps',
    ]);
    expect(await run(install, { cwd: folder })).toMatchObject({ exitCode: 0 });
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const args = [vitest, 'run', '--project', 'callback', '--testTimeout', '60000'];
    const env = {
      VITEST: undefined,
      BATCHWISE_TFJS_FOLDER: join(folder, 'node_modules'),
      BATCHWISE_TFJS_VERSION: OLDEST,
    };
    const { exitCode, output } = await run({ program: process.execPath, args }, { cwd: root, env });
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(output).not.toContain('skipped');
  });
});
