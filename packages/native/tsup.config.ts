import { defineConfig } from 'tsup';
import { preset } from '../../tools/tsup.preset.ts';

// The CommonJS build finds the assets through the shim of import.meta.url.
export default defineConfig(preset({ platform: 'node', shims: true }));
