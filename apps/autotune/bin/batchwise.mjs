#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
if (!existsSync(built)) {
  console.error('batchwise: not built yet. Run `node tools/bootstrap.mjs` in the clone first.');
  process.exit(1);
}
await import('../dist/cli.js');
