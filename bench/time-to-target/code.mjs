// Which code ran: results of two versions in one folder would be told apart by nothing else.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PACKAGES = fileURLToPath(new URL('../../packages/', import.meta.url));

/** The first 12 hex digits of a hash over what was built of each package. */
export function codeDigest() {
  const hash = createHash('sha256');
  const built = readdirSync(PACKAGES, { recursive: true })
    .filter((path) => /^[^/\\]+[/\\]dist[/\\].*\.js$/.test(path))
    .sort();
  for (const path of built) hash.update(`${path}\n`).update(readFileSync(`${PACKAGES}${path}`));
  return hash.digest('hex').slice(0, 12);
}
