// Which code ran: results of two versions in one folder would be told apart by nothing else.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The first 12 hex digits of a hash over what was built of each package, and this benchmark itself. */
export function codeDigest() {
  const hash = createHash('sha256');
  const built = readdirSync(join(ROOT, 'packages')).map((name) => join('packages', name, 'dist'));
  for (const folder of [...built, join('bench', 'time-to-target')].sort()) {
    if (!existsSync(join(ROOT, folder))) continue;
    const files = readdirSync(join(ROOT, folder), { recursive: true }).filter((file) => /\.m?js$/.test(file));
    for (const file of files.sort())
      hash.update(`${folder}/${file}\n`).update(readFileSync(join(ROOT, folder, file)));
  }
  return hash.digest('hex').slice(0, 12);
}
