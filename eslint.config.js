import { builtinModules } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { LAYERS, claimedLayers, depConstraints, entryOf, folderLayers } from './tools/layers/table.mjs';
import { workspaces } from './tools/workspaces.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

const members = workspaces(root);
/** Folders that are of another layer than their package. */
const foreign = members.flatMap(({ folder, manifest }) =>
  folderLayers(manifest).map((own) => ({ ...own, files: `${folder}/${own.folder}/**`, manifest })),
);

const noBuiltins = 'This layer runs in a browser: no Node built-ins.';

/**
 * What Nx does not see: Node built-ins, and imports of a folder that is of another layer than its package.
 * @param {string} name of a layer
 */
function importLimits(name) {
  const { nodeBuiltins, mayUse } = LAYERS[name];
  const banned = foreign.filter(({ layer }) => layer !== name && !mayUse.includes(layer));
  const bannedEntries = foreign
    .filter(({ layer }) => !mayUse.includes(layer))
    .flatMap(({ manifest, folder }) =>
      Object.keys(manifest.exports ?? {})
        .filter((subpath) => entryOf(manifest, subpath).startsWith(`${folder}/`))
        .map((subpath) => subpath.replace('.', manifest.name)),
    );
  const message = `A file of layer ${name} may not use one of another layer than ${[...new Set([name, ...mayUse])].join(', ')}.`;
  return {
    files: [
      ...members
        .filter(({ manifest }) => claimedLayers(manifest).includes(name))
        .map(({ folder }) => `${folder}/src/**`),
      ...foreign.filter(({ layer }) => layer === name).map(({ files }) => files),
    ],
    ignores: foreign.filter(({ layer }) => layer !== name).map(({ files }) => files),
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: nodeBuiltins ? [] : builtinModules.map((module) => ({ name: module, message: noBuiltins })),
          patterns: [
            ...(nodeBuiltins ? [] : [{ group: ['node:*'], message: noBuiltins }]),
            ...banned.map(({ folder }) => ({ regex: `^\\.{1,2}/(.*/)?${basename(folder)}/`, message })),
            ...bannedEntries.map((entry) => ({ regex: `^${entry}$`, message })),
          ],
        },
      ],
    },
  };
}

/**
 * Nx's rule passes with a mere warning when no project graph is cached, so lint runs through Nx only, tools/test.mjs
 * fails on that warning, and tools/check-layers.mjs checks the same table a second time.
 */
const boundaries = (constraints) => [
  'error',
  {
    allow: ['^\\.\\./\\.\\./tools/.*'],
    allowCircularSelfDependency: true,
    banTransitiveDependencies: true,
    // Layers are checked here, not how an app splits its bundles.
    checkDynamicDependenciesExceptions: ['.*'],
    enforceBuildableLibDependency: true,
    depConstraints: constraints,
  },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/.tsc/**', '**/coverage/**', '**/.nx/**'] },
  ...tseslint.configs.recommended,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.js'],
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'max-params': ['error', 3],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@nx/enforce-module-boundaries': boundaries(depConstraints()),
    },
  },
  ...foreign.map(({ files, layer, manifest }) => ({
    files: [files],
    rules: {
      '@nx/enforce-module-boundaries': boundaries(
        depConstraints(Object.fromEntries(claimedLayers(manifest).map((own) => [own, layer]))),
      ),
    },
  })),
  ...Object.keys(LAYERS)
    .map(importLimits)
    .filter(({ files }) => files.length > 0),
  {
    files: ['test/**', '**/test/**', '**/*.config.ts', 'packages/testing/src/describe-*.ts'],
    rules: {
      // A describe block is a table of contents, not a function to be kept short; a row of a test table may be wide.
      'max-lines-per-function': 'off',
      'max-params': 'off',
      // Tests and build recipes are not shipped: they may use any layer and any declared tool.
      '@nx/enforce-module-boundaries': boundaries([{ sourceTag: '*', onlyDependOnLibsWithTags: ['*'] }]),
    },
  },
);
