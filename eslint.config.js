import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Which layer may use which: the picture is in docs/architecture.md. Checked a second time by tools/check-layers.mjs. */
const depConstraints = [
  { sourceTag: 'layer:pure', onlyDependOnLibsWithTags: ['layer:pure'], bannedExternalImports: ['*'] },
  { sourceTag: 'layer:core', onlyDependOnLibsWithTags: ['layer:core'], bannedExternalImports: ['*'] },
  {
    sourceTag: 'layer:policy',
    onlyDependOnLibsWithTags: ['layer:pure', 'layer:core', 'layer:policy'],
    bannedExternalImports: ['@tensorflow/*'],
  },
  { sourceTag: 'layer:adapter', onlyDependOnLibsWithTags: ['layer:pure', 'layer:core', 'layer:policy'] },
  {
    sourceTag: 'layer:app',
    onlyDependOnLibsWithTags: ['layer:pure', 'layer:core', 'layer:policy', 'layer:adapter', 'layer:app'],
  },
  { sourceTag: 'layer:test', onlyDependOnLibsWithTags: ['*'] },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/.tsc/**', '**/coverage/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mjs'],
    plugins: { '@nx': nx },
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'max-params': ['error', 3],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'off',
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: ['^\\.\\./\\.\\./tools/.*'],
          allowCircularSelfDependency: true,
          banTransitiveDependencies: true,
          enforceBuildableLibDependency: true,
          depConstraints,
        },
      ],
    },
  },
  {
    files: ['packages/core/src/**', 'packages/sampler/src/**', 'packages/noise-scale/src/**', 'packages/tuner/src/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['node:*', 'fs', 'path', 'os'], message: 'This layer runs in a browser: no Node built-ins.' }] },
      ],
    },
  },
  {
    files: ['**/test/**/*.ts'],
    // A describe block is a table of contents, not a function to be kept short.
    rules: { 'max-lines-per-function': 'off' },
  },
);
