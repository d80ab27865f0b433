import { checkLayers } from '../../tools/check-layers.mjs';
import type { Manifest } from '../../tools/workspaces.mjs';
import { temporaryFolder, writeTree, type Tree } from '../support/temporary-folder.ts';

type Fields = Partial<Manifest>;

const member = (name: string, layer: string, fields: Fields = {}): Manifest => ({
  name,
  version: '0.1.0',
  exports: { '.': './src/index.ts' },
  scripts: { lint: 'eslint . --format json --output-file lint.json' },
  nx: { tags: [`layer:${layer}`] },
  ...fields,
});

const on = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`@batchwise/${name}`, '0.1.0']));

export const manifests = {
  root: {
    name: 'fixture',
    version: '0.1.0',
    private: true,
    workspaces: ['packages/*', 'apps/*', 'test'],
    devDependencies: { vitest: '4.1.12' },
  },
  core: member('@batchwise/core', 'core'),
  sampler: member('@batchwise/sampler', 'pure'),
  noiseScale: member('@batchwise/noise-scale', 'pure'),
  probe: member('@batchwise/probe', 'pure', {
    exports: { '.': './src/index.ts', './node': { '@batchwise/source': './src/node/index.ts' } },
    peerDependencies: { systeminformation: '5' },
    peerDependenciesMeta: { systeminformation: { optional: true } },
    nx: { tags: ['layer:pure', 'folder:src/node=adapter'] },
  }),
  tuner: member('@batchwise/tuner', 'policy', { dependencies: on('core', 'noise-scale') }),
  backend: member('@batchwise/backend', 'adapter', {
    dependencies: on('core'),
    peerDependencies: { '@tensorflow/tfjs-core': '>=4.10.0 <5' },
  }),
  callback: member('@batchwise/callback', 'integration', { dependencies: on('backend', 'core') }),
  testing: member('@batchwise/testing', 'test', { dependencies: on('core') }),
  demo: member('demo', 'app', { dependencies: on('probe', 'sampler', 'tuner') }),
  suite: member('@batchwise/test-suite', 'test', { private: true }),
} satisfies Record<string, Manifest>;

/** A small repository with a package in each layer, in which each import is allowed. */
export const cleanTree: Tree = {
  'package.json': manifests.root,
  'packages/core/package.json': manifests.core,
  'packages/core/src/index.ts': "export type { Plan } from './plan.ts';\n",
  'packages/core/src/plan.ts': 'export type Plan = { readonly batchSize: number };\n',
  'packages/core/test/plan.test.ts':
    "import { expect } from 'vitest';\nimport '../src/plan.ts';\nexpect(1).toBe(1);\n",
  'packages/sampler/package.json': manifests.sampler,
  'packages/sampler/src/index.ts': 'export const first = 0;\n',
  'packages/noise-scale/package.json': manifests.noiseScale,
  'packages/noise-scale/src/index.ts': 'export const noise = 1;\n',
  'packages/noise-scale/test/noise.test.ts':
    "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
  'packages/probe/package.json': manifests.probe,
  'packages/probe/src/index.ts': 'export const probe = 2;\n',
  'packages/probe/src/node/index.ts':
    "import { readFileSync } from 'node:fs';\nimport { probe } from '../index.ts';\nexport const read = [readFileSync, probe];\nexport const load = () => import('systeminformation');\n",
  'packages/tuner/package.json': manifests.tuner,
  'packages/tuner/src/index.ts':
    "import type { Plan } from '@batchwise/core';\nimport { noise } from '@batchwise/noise-scale';\nexport const plan: Plan = { batchSize: noise };\n",
  'packages/backend/package.json': manifests.backend,
  'packages/backend/src/index.ts':
    "import { readFileSync } from 'node:fs';\nimport type { Tensor } from '@tensorflow/tfjs-core';\nexport type { Plan } from '@batchwise/core';\nexport const read = readFileSync;\nexport type T = Tensor;\n",
  'packages/callback/package.json': manifests.callback,
  'packages/callback/src/index.ts':
    "import type { Plan } from '@batchwise/core';\nimport { read } from '@batchwise/backend';\nexport const plan: Plan = { batchSize: read.length };\n",
  'packages/testing/package.json': manifests.testing,
  'packages/testing/src/index.ts': "export type { Plan } from '@batchwise/core';\n",
  'apps/demo/package.json': manifests.demo,
  'apps/demo/src/index.ts':
    "export { plan } from '@batchwise/tuner';\nexport { first } from '@batchwise/sampler';\nexport { read } from '@batchwise/probe/node';\n",
  'test/package.json': manifests.suite,
  'test/all/all.test.ts':
    "export { plan } from '@batchwise/tuner';\nexport { first } from '@batchwise/sampler';\n",
};

/** The clean tree with one package.json changed. */
export const withManifest = (path: string, manifest: Manifest, fields: object): Tree => ({
  ...cleanTree,
  [`${path}/package.json`]: { ...manifest, ...fields },
});

/** The clean tree with one file added. */
export const withFile = (path: string, text: string): Tree => ({ ...cleanTree, [path]: text });

/** What tools/check-layers.mjs says about a tree. */
export function violations(tree: Tree): string[] {
  const folder = temporaryFolder();
  writeTree(folder, tree);
  return checkLayers(folder);
}
