import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readCached } from './cache.ts';
import { verifiedContent, type KnownFile } from './checksum.ts';
import { DataError, reasonOf } from './data-error.ts';
import { fetchFile, fileSize, type DownloadTimeouts } from './fetch-file.ts';

/** Bytes of a file that have arrived. */
export interface DownloadProgress {
  readonly file: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** How files are fetched. */
export interface DownloadOptions {
  /** Folders on the web that hold the files, the preferred one first. */
  readonly mirrors: readonly string[];
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default 5 s until a server answers, 30 s between two pieces of the content. */
  readonly timeouts?: DownloadTimeouts | undefined;
  /** Stops the download; what has arrived stays for the next time. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const TIMEOUTS: DownloadTimeouts = { connectSeconds: 5, stallSeconds: 30 };

/** A file that was fetched, checked and stored. */
export interface Downloaded {
  readonly content: Uint8Array;
  /** Host of the mirror it came from. */
  readonly host: string;
}

/**
 * Fetches a file into `destination` and returns its content. It grows as `<destination>.part`, goes on there after an
 * interruption, and gets its name only when its checksum is right.
 * @throws DataError `downloadFailed` when no mirror had it, with the reason of each; the reason of the signal
 */
export async function downloadFile(
  file: KnownFile,
  destination: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  await mkdir(dirname(destination), { recursive: true });
  const part = `${destination}.part`;
  const failures: string[] = [];
  for (const mirror of options.mirrors) {
    const folder = mirror.endsWith('/') ? mirror : `${mirror}/`;
    if (!URL.canParse(file.name, folder)) {
      failures.push(`"${mirror}" is no web address; give one such as https://example.org/folder`);
      continue;
    }
    const url = new URL(file.name, folder);
    try {
      const content = await fromMirror({ ...options, file, destination, part, url: url.href });
      return { content, host: url.host };
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.push(`${url.host}: ${reasonOf(error).replace(` ${url.hostname}`, '')}`);
    }
  }
  throw new DataError('downloadFailed', failures.join('; ') || 'there is no mirror to ask');
}

interface MirrorRequest extends DownloadOptions {
  readonly file: KnownFile;
  readonly destination: string;
  readonly part: string;
  readonly url: string;
}

async function fromMirror(request: MirrorRequest): Promise<Uint8Array> {
  const { file, destination } = request;
  await fetchWhole(request);
  try {
    return await accept(request);
  } catch {
    // Another process may have been at the same part, and have given it its name by now.
    const cached = await readCached(destination, file);
    if (cached.found) return cached.content;
  }
  // Or what lay there was the beginning of another file: this mirror's own is fetched where no other process writes.
  const part = `${destination}.${randomUUID()}.part`;
  try {
    await fetchWhole({ ...request, part });
    return await accept({ ...request, part });
  } finally {
    await rm(part, { force: true });
  }
}

/** Goes on where the connection broke, as long as each try brings the file further. */
async function fetchWhole({ file, part, url, ...options }: MirrorRequest): Promise<void> {
  const { fetch = globalThis.fetch, timeouts = TIMEOUTS, signal, onProgress } = options;
  const onBytes = (receivedBytes: number, totalBytes = file.byteLength) =>
    onProgress?.({ file: file.name, receivedBytes, totalBytes });
  for (;;) {
    const before = await fileSize(part);
    try {
      return await fetchFile({ url, part, fetch, timeouts, signal, onBytes });
    } catch (error) {
      const further = (await fileSize(part)) > before;
      if (!further || signal?.aborted === true) throw error;
    }
  }
}

/** Gives a complete part its name; a part that is not what it should be is deleted. */
async function accept({ file, part, destination }: MirrorRequest): Promise<Uint8Array> {
  let content: Uint8Array;
  try {
    content = verifiedContent(await readFile(part), file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  // What is right is of use without the name too: another process may have taken the part in the meantime.
  await rename(part, destination).catch(() => undefined);
  return content;
}
