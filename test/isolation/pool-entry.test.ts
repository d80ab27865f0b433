import { beforeAll, describe, expect, it } from 'vitest';
import { libraries, requireBuild } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';
import { installAlone, runOk } from './install-alone.ts';
import { minifiedBytes } from './minified-bytes.ts';

const NAME = '@batchwise/sampler-weighted';

/** Bytes of minified code of both ways into the package with all that they need; that of '.' alone has its own bound. */
const LARGEST_OF_BOTH = 16_000;

/** What is asked of the module `m`, as JSON, with `seededRandom` of the package that it depends on. */
const USE = `JSON.stringify({
  names: Object.keys(m).sort(),
  hardest: [...m.hardest([0.3, 2, 0.1, 2, 5], { count: 3 })],
  triplets: [...m.batchHardTriplets({ embeddings: [0, 1, 5, 7], labels: [0, 0, 1, 1], dimensions: 1 })],
  semiHard: [...m.semiHardTriplets({ embeddings: [0, 1, 3], labels: [0, 0, 1], dimensions: 1 }, { margin: 9 })],
  gain: m.samplingGain([0, 0, 0, 1]),
  threshold: m.gainThreshold({ poolSize: 384, batchSize: 128 }),
  gate: m.isWorthSampling(m.addPool(undefined, [0, 0, 0, 1]), { poolSize: 4, batchSize: 2 }),
  positions: [...m.resamplePool([0, 0, 1], { count: 60, random: seededRandom(1), floor: 0.5 }).positions],
  weights: [...m.resamplePool([0, 0, 1], { count: 60, random: seededRandom(1), floor: 0.5 }).weights],
})`;

const PRINTED = {
  names: [
    'addPool',
    'batchHardTriplets',
    'gainThreshold',
    'hardest',
    'isWorthSampling',
    'resamplePool',
    'samplingGain',
    'semiHardTriplets',
  ],
  hardest: [4, 1, 3],
  // On a line at 0, 1 | 5, 7: the nearest of the others are 5 and 1.
  triplets: [0, 1, 2, 1, 0, 2, 2, 3, 1, 3, 2, 1],
  // Squared distances 1 to the positive, 9 and 4 to the negative; below 1 + 9 are both.
  semiHard: [0, 1, 2, 1, 0, 2],
  // √(N Σ p²) of one certain draw of four.
  gain: 2,
  threshold: 2,
  // 2 against (4 + 6) / 6.
  gate: true,
};

beforeAll(requireBuild);

describe('the entry ./pool of the weighted samplers, packed and installed alone in an empty folder', () => {
  it('loads and works as ESM and as CommonJS, and is small together with the other one', async (context) => {
    const member = libraries.find(({ manifest }) => manifest.name === NAME);
    if (!member) throw new Error(`${NAME} is not among the libraries`);
    const folder = temporaryFolder();
    await installAlone(member, folder);
    writeTree(folder, {
      'use.mjs': `import { seededRandom } from '@batchwise/sampler';
import * as m from '${NAME}/pool';
console.log(${USE});\n`,
      'use.cjs': `const { seededRandom } = require('@batchwise/sampler');
const m = require('${NAME}/pool');
console.log(${USE});\n`,
      'both.mjs': `export * from '${NAME}';\nexport * from '${NAME}/pool';\n`,
      'alone.mjs': `export * from '${NAME}';\n`,
    });
    const node = (file: string) => runOk({ program: process.execPath, args: [file] }, folder);

    const printed = await node('use.mjs');
    expect(await node('use.cjs')).toBe(printed);
    const { positions, weights, ...values }: { positions: number[]; weights: number[] } = JSON.parse(printed);
    expect(values).toEqual(PRINTED);
    // Half of the draws go to all alike: 1/6 and 4/6 of three have the weights 2 and 1/2.
    expect(new Set(positions)).toEqual(new Set([0, 1, 2]));
    expect(weights).toEqual(positions.map((position) => (position === 2 ? 0.5 : 2)));

    const [bytes, alone] = [
      await minifiedBytes(folder, 'both.mjs'),
      await minifiedBytes(folder, 'alone.mjs'),
    ];
    await context.annotate(`${bytes} bytes minified, ${alone} of them without ./pool`);
    expect(bytes).toBeLessThan(LARGEST_OF_BOTH);
    // What both need is in the page once, and what is not asked for is not.
    expect(bytes).toBeGreaterThan(alone);
  });
});
