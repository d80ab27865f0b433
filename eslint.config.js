import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { LAYERS, claimedLayers, depConstraints } from './tools/layers/table.mjs';
import { workspaces } from './tools/workspaces.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Sources of the layers that run in a browser. */
const browserSources = workspaces(root)
  .filter(({ manifest }) => claimedLayers(manifest).some((layer) => LAYERS[layer]?.nodeBuiltins === false))
  .map(({ folder }) => `${folder}/src/**`);

const noBuiltins = 'This layer runs in a browser: no Node built-ins.';

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
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.js'],
    plugins: { '@nx': nx },
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'max-params': ['error', 3],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@nx/enforce-module-boundaries': boundaries(depConstraints),
    },
  },
  {
    files: browserSources,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: builtinModules.map((name) => ({ name, message: noBuiltins })),
          patterns: [{ group: ['node:*'], message: noBuiltins }],
        },
      ],
    },
  },
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
