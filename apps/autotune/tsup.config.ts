import { defineConfig } from 'tsup';
import { preset } from '../../tools/tsup.preset.ts';

export default defineConfig(preset({ entry: ['src/cli.ts'], format: ['esm'], platform: 'node', dts: false }));
