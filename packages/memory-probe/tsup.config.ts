import { defineConfig } from 'tsup';
import { preset } from '../../tools/tsup.preset.ts';

export default defineConfig(
  preset({ entry: { index: 'src/index.ts', 'node/index': 'src/node/index.ts' }, platform: 'node' }),
);
