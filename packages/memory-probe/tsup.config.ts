import { defineConfig } from 'tsup';
import { preset } from '../../tools/tsup.preset.ts';

export default defineConfig([
  preset(),
  preset({ entry: { 'node/index': 'src/node/index.ts' }, platform: 'node', clean: false }),
]);
