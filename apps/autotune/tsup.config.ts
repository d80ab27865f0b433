import { defineConfig } from 'tsup';
import { preset } from '../../tools/tsup.preset.ts';

export default defineConfig(
  preset({
    entry: { cli: 'src/cli.ts', probe: 'src/doctor/probe.ts' },
    format: ['esm'],
    platform: 'node',
    dts: false,
  }),
);
