import { describe, expect, it } from 'vitest';
import type { Tree } from '../support/temporary-folder.ts';
import { manifests, violations, withFile, withManifest } from './fixture.ts';

describe('a planted package.json is reported', () => {
  const { core, sampler, noiseScale, probe, tuner, backend, demo } = manifests;
  const tags =
    'needs exactly one layer tag in nx.tags of layer:pure, layer:core, layer:policy, layer:adapter, layer:integration, layer:app, layer:test';
  const planted: readonly (readonly [what: string, tree: Tree, expected: string])[] = [
    [
      'no tag',
      withManifest('packages/sampler', sampler, { nx: {} }),
      `packages/sampler/package.json: ${tags}; has none`,
    ],
    [
      'two tags',
      withManifest('packages/sampler', sampler, { nx: { tags: ['layer:pure', 'layer:core'] } }),
      `packages/sampler/package.json: ${tags}; has layer:pure, layer:core`,
    ],
    [
      'unknown tag',
      withManifest('packages/sampler', sampler, { nx: { tags: ['layer:purr'] } }),
      `packages/sampler/package.json: ${tags}; has layer:purr`,
    ],
    [
      'core depends on npm',
      withManifest('packages/core', core, { dependencies: { commander: '14.0.3' } }),
      'packages/core/package.json: depends on commander, but layer core may not use it',
    ],
    [
      'policy depends on tensorflow',
      withManifest('packages/tuner', tuner, { peerDependencies: { '@tensorflow/tfjs': '4' } }),
      'packages/tuner/package.json: depends on @tensorflow/tfjs, but layer policy may not use it',
    ],
    [
      'pure depends on core',
      withManifest('packages/sampler', sampler, { dependencies: { '@batchwise/core': '0.1.0' } }),
      'packages/sampler/package.json: depends on @batchwise/core, but layer pure may use only pure, and @batchwise/core is core',
    ],
    [
      'pure needs what only its adapter folder may use',
      withManifest('packages/probe', probe, { peerDependenciesMeta: {} }),
      'packages/probe/package.json: depends on systeminformation, but layer pure may not use it',
    ],
    [
      'a folder of another layer that is not there',
      withManifest('packages/sampler', sampler, { nx: { tags: ['layer:pure', 'folder:src/node=adapter'] } }),
      'packages/sampler/package.json: the tag folder:src/node=adapter names no folder below src/ that has files, or no layer',
    ],
    [
      'a folder of a layer that is not there',
      withManifest('packages/core', core, { nx: { tags: ['layer:core', 'folder:src=purr'] } }),
      'packages/core/package.json: the tag folder:src=purr names no folder below src/ that has files, or no layer',
    ],
    [
      'another version',
      withManifest('apps/demo', demo, { version: '0.2.0' }),
      "apps/demo/package.json: version is 0.2.0, the root's is 0.1.0",
    ],
    [
      'another range',
      withManifest('packages/backend', backend, { dependencies: { '@batchwise/core': '^0.1.0' } }),
      'packages/backend/package.json: wants @batchwise/core ^0.1.0, the workspace is 0.1.0',
    ],
    [
      'unknown workspace',
      withManifest('packages/backend', backend, { devDependencies: { '@batchwise/gone': '0.1.0' } }),
      'packages/backend/package.json: @batchwise/gone is not a workspace of this repository',
    ],
    [
      'cycle',
      withManifest('packages/noise-scale', noiseScale, { devDependencies: { '@batchwise/tuner': '0.1.0' } }),
      'cycle: @batchwise/noise-scale -> @batchwise/tuner -> @batchwise/noise-scale',
    ],
    [
      'cycle through a test',
      withFile('packages/core/test/planted.test.ts', "import '@batchwise/testing';"),
      'cycle: @batchwise/core -> @batchwise/testing -> @batchwise/core',
    ],
    [
      'folder without package.json',
      withFile('packages/stray/src/index.ts', ''),
      'packages/stray: has files but no package.json, so nothing checks it',
    ],
  ];
  it.each(planted)('%s', (_what, tree, expected) => expect(violations(tree)).toEqual([expected]));

  it('and so is a repository without workspaces', () => {
    expect(violations({ 'package.json': { name: 'empty', version: '0.1.0' } })).toEqual([
      expect.stringContaining('nothing was checked'),
    ]);
  });
});
