import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../tools/child-process.mjs';
import { libraries, requireBuild, root } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';
import { installPacked } from './install-alone.ts';

const NEEDED = ['@batchwise/core', '@batchwise/sampler', '@batchwise/testing'];

/** Samplers of seven examples as an outsider may write them, and a check that those that are wrong must not pass. */
const SAMPLERS: Readonly<Record<string, { readonly code: string; readonly failed?: string }>> = {
  sound: {
    code: `randomAccessSampler(7, (epoch) => (from, to) =>
      Int32Array.from({ length: to - from }, (_, k) => (6 - from - k + epoch) % 7))`,
  },
  'cut into batches that run backwards': {
    code: `({ size: 7, epoch: (_index, startAt = 0) => { let at = startAt; return { take(count) {
      const length = Math.min(count, 7 - at);
      at += length;
      return Int32Array.from({ length }, (_, k) => at - 1 - k);
    } }; } })`,
    failed: 'has an order that does not depend on how it is cut',
  },
  'with an example that comes twice': {
    code: `randomAccessSampler(7, () => (from, to) =>
      Int32Array.from({ length: to - from }, (_, k) => Math.max(1, from + k)))`,
    failed: 'gives as many examples in an epoch as its size says',
  },
  'that ignores where to start': {
    code: `({ size: 7, epoch: (index) => sequential(7).epoch(index) })`,
    failed: 'resumes anywhere in an epoch',
  },
  'that learns and forgets': {
    code: `(() => {
      let turn = 0;
      const read = (from, to) => Int32Array.from({ length: to - from }, (_, k) => (from + k + turn) % 7);
      return { ...randomAccessSampler(7, () => read), observe() { turn += 1; }, state: () => ({}) };
    })()`,
    failed: 'goes on from its state in the middle of an epoch as if it had not stopped',
  },
};

interface Assertion {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}
interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly Assertion[] }[];
}

/** What vitest says of a test file in a folder of its own, the packages and vitest in its node_modules. */
async function reportOf(folder: string): Promise<readonly Assertion[]> {
  const vitest = join(folder, 'node_modules', 'vitest');
  // The peer, as it is here: to download it takes a network.
  symlinkSync(join(root, 'node_modules', 'vitest'), vitest, 'junction');
  const args = [join(vitest, 'vitest.mjs'), 'run', '--reporter=json', '--outputFile=report.json'];
  const { output } = await run({ program: process.execPath, args }, { cwd: folder });
  expect(output).not.toContain('Unhandled');
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report;
  return report.testResults.flatMap(({ assertionResults }) => assertionResults);
}

beforeAll(requireBuild);

describe('the contract suite, packed and installed in an empty folder', () => {
  it('passes an outsider’s sampler and fails those that are wrong', async () => {
    const folder = temporaryFolder();
    const members = libraries.filter(({ manifest }) => NEEDED.includes(manifest.name));
    await installPacked(members, folder, ['--legacy-peer-deps']);
    const suites = Object.entries(SAMPLERS).map(
      ([name, { code }]) => `describeSampler('${name}', () => ${code});`,
    );
    const imports = [
      `import { randomAccessSampler, sequential } from '@batchwise/sampler';`,
      `import { describeSampler } from '@batchwise/testing';`,
    ];
    writeTree(folder, { 'samplers.test.mjs': [...imports, ...suites].join('\n') });

    const all = await reportOf(folder);
    for (const [name, { failed }] of Object.entries(SAMPLERS)) {
      const own = all.filter(({ ancestorTitles }) => ancestorTitles[0]?.startsWith(`${name} keeps`));
      expect(own.length, name).toBeGreaterThan(8);
      const failures = own.filter(({ status }) => status !== 'passed').map(({ title }) => title);
      if (failed === undefined) expect(failures).toEqual([]);
      else expect(failures, name).toContain(failed);
    }
  });
});
