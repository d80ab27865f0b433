import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { verifiedContent, type KnownFile } from './checksum.ts';
import { reasonOf } from './data-error.ts';

/** What the place of the cache depends on. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/**
 * Where downloads are kept: the environment variable BATCHWISE_CACHE_DIR, else the place that the system has for it:
 * `$XDG_CACHE_HOME/batchwise` or `~/.cache/batchwise` (Linux and others, by the XDG base directory specification),
 * `~/Library/Caches/batchwise` (macOS), `%LOCALAPPDATA%\batchwise\Cache` (Windows).
 */
export function cacheDirectory(
  { platform, env, home }: Surroundings = { platform: process.platform, env: process.env, home: homedir() },
): string {
  // An empty variable counts as one that is not set, as the XDG specification asks.
  if (env['BATCHWISE_CACHE_DIR']) return env['BATCHWISE_CACHE_DIR'];
  if (platform === 'win32')
    return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'batchwise', 'Cache');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'batchwise');
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'batchwise');
}

/** What the cache had to say about a file. */
export type CacheAnswer =
  { readonly found: true; readonly content: Uint8Array } | { readonly found: false; readonly reason: string };

/** The content of a cached file if its checksum is right; never throws. */
export async function readCached(path: string, file: KnownFile): Promise<CacheAnswer> {
  let stored: Uint8Array;
  try {
    stored = await readFile(path);
  } catch {
    return { found: false, reason: `${path} is not there` };
  }
  try {
    return { found: true, content: verifiedContent(stored, file) };
  } catch (error) {
    return { found: false, reason: `${path} is damaged: ${reasonOf(error)}` };
  }
}
