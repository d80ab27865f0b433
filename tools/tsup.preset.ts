import type { Options } from 'tsup';

/** One build recipe for each package: ESM, CommonJS and types for both. */
export const preset = (over: Options = {}): Options => ({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'neutral',
  sourcemap: true,
  clean: true,
  dts: {
    compilerOptions: {
      composite: false,
      incremental: false,
      customConditions: [],
      declarationMap: false,
      ignoreDeprecations: '6.0',
    },
  },
  ...over,
});
