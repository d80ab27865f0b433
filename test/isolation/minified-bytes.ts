import { join } from 'node:path';
import { build } from 'vite';

/** Bytes that a module and all that it imports add to a page, minified. */
export async function minifiedBytes(folder: string, entry: string): Promise<number> {
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      modulePreload: false,
      rolldownOptions: { input: join(folder, entry), preserveEntrySignatures: 'strict' },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  const chunks = outputs.flatMap((each) => ('output' in each ? each.output : []));
  return chunks.reduce((sum, chunk) => sum + (chunk.type === 'chunk' ? Buffer.byteLength(chunk.code) : 0), 0);
}
