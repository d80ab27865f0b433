import { beforeAll, describe, expect, it } from 'vitest';
import { byName, requireBuild } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';
import { alone, installAlone, runOk } from './install-alone.ts';

/** One use per package, `m` being the module, with a value known by hand. */
const USES: Readonly<Record<string, { readonly expression: string; readonly value: unknown }>> = {
  '@batchwise/sampler': { expression: '[...m.sequential(5).epoch(0, 2).take(2)]', value: [2, 3] },
  '@batchwise/sampler-weighted': { expression: 'new m.SumTree([1, 2, 3]).find(2.5)', value: 1 },
  '@batchwise/noise-scale': {
    // g_1 = (3, 0) and g_2 = (1, 2), of one example each.
    expression: 'm.gradientComponents({ sizes: [1, 1], squaredNorms: [9, 5], crossProduct: 3 })',
    value: { examples: 2, squaredGradientNorm: 3, gradientVarianceTrace: 4 },
  },
  '@batchwise/sampler-bucket': {
    expression: '[m.padSequences([[7, 8], [9]]).data[3], m.paddingReport([[0, 1]], [1, 4]).waste]',
    value: [0, 0.375],
  },
  '@batchwise/sampler-curriculum': {
    expression:
      '[m.competence({ examples: 100, root: 1, initial: 0.25 }).at(50), m.babySteps({ buckets: 4, examplesPerBucket: 10 }).at(25)]',
    value: [0.625, 0.75],
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

const node = (file: string) => ({ program: process.execPath, args: [file] });

beforeAll(requireBuild);

describe('the layers without TensorFlow.js', () => {
  it('have packages', () =>
    expect(alone.map(({ manifest }) => manifest.name)).toEqual(expect.arrayContaining(Object.keys(USES))));

  it.each(byName(alone))('%s installs, loads and works alone in an empty folder', async (name, member) => {
    const folder = temporaryFolder();
    const { expression, value } = USES[name] ?? ANY_USE;
    await installAlone(member, folder);
    writeTree(folder, {
      'use.mjs': `import * as m from '${name}';\nconsole.log(JSON.stringify(${expression}));\n`,
      'use.cjs': `const m = require('${name}');\nconsole.log(JSON.stringify(${expression}));\n`,
    });
    expect(JSON.parse(await runOk(node('use.mjs'), folder))).toEqual(value);
    expect(JSON.parse(await runOk(node('use.cjs'), folder))).toEqual(value);
  });
});
