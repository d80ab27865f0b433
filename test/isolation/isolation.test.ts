import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { npmCommand, run } from '../../tools/child-process.mjs';
import { layerOf } from '../../tools/layers/table.mjs';
import type { Workspace } from '../../tools/workspaces.mjs';
import { pack } from '../support/packed.ts';
import { byName, libraries, requireBuild } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';

/** One use per package, `m` being the module, with a value known by hand. */
const USES: Readonly<Record<string, { readonly expression: string; readonly value: unknown }>> = {
  '@batchwise/sampler': { expression: '[...m.sequential(5).epoch(0, 2).take(2)]', value: [2, 3] },
  '@batchwise/noise-scale': {
    // g_1 = (3, 0) and g_2 = (1, 2), of one example each.
    expression: 'm.gradientComponents({ sizes: [1, 1], squaredNorms: [9, 5], crossProduct: 3 })',
    value: { examples: 2, squaredGradientNorm: 3, gradientVarianceTrace: 4 },
  },
  '@batchwise/memory-probe': {
    // A line through 7, 8 and 9 bytes: 5 and one for each example.
    expression:
      'm.fitMemory([2, 3, 4].map((b) => ({ batchSize: b, peakBytes: 5 + b })), { relativeNoise: 1e-3 }).linePoints',
    value: 3,
  },
  '@batchwise/core': { expression: 'm.stepDecay(100, 0.5)(250)', value: 0.25 },
};
const ANY_USE = { expression: 'Object.keys(m).length > 0', value: true };

const alone = libraries.filter(({ manifest }) => layerOf(manifest)?.nodeBuiltins === false);

/** A package with the workspaces it needs, and theirs. */
function withNeeds(member: Workspace): readonly Workspace[] {
  const needs = Object.keys(member.manifest.dependencies ?? {});
  const direct = alone.filter(({ manifest }) => needs.includes(manifest.name));
  return [...new Set([member, ...direct.flatMap(withNeeds)])];
}

async function runOk(command: ReturnType<typeof npmCommand>, cwd: string): Promise<string> {
  const { exitCode, output } = await run(command, { cwd });
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  return output;
}

const node = (file: string) => ({ program: process.execPath, args: [file] });

beforeAll(requireBuild);

describe('the layers without TensorFlow.js', () => {
  it('have packages', () =>
    expect(alone.map(({ manifest }) => manifest.name)).toEqual(expect.arrayContaining(Object.keys(USES))));

  it.each(byName(alone))('%s installs, loads and works alone in an empty folder', async (name, member) => {
    const folder = temporaryFolder();
    const { expression, value } = USES[name] ?? ANY_USE;
    const members = withNeeds(member);
    const tarballs = await pack(members, folder);
    writeTree(folder, {
      'package.json': { private: true },
      'use.mjs': `import * as m from '${name}';\nconsole.log(JSON.stringify(${expression}));\n`,
      'use.cjs': `const m = require('${name}');\nconsole.log(JSON.stringify(${expression}));\n`,
    });
    const flags = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await runOk(npmCommand(['install', ...flags, ...tarballs.values()]), folder);

    const installed = join(folder, 'node_modules');
    expect(existsSync(join(installed, '@tensorflow'))).toBe(false);
    expect(readdirSync(installed).filter((entry) => !entry.startsWith('.'))).toEqual(['@batchwise']);
    expect(
      readdirSync(join(installed, '@batchwise'))
        .map((entry) => `@batchwise/${entry}`)
        .sort(),
    ).toEqual(members.map(({ manifest }) => manifest.name).sort());
    expect(JSON.parse(await runOk(node('use.mjs'), folder))).toEqual(value);
    expect(JSON.parse(await runOk(node('use.cjs'), folder))).toEqual(value);
  });
});
