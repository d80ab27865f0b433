import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
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
    const url = new URL(file.name, mirror.endsWith('/') ? mirror : `${mirror}/`);
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
  const continued = (await fileSize(request.part)) > 0;
  await fetchWhole(request);
  try {
    return await accept(request);
  } catch (error) {
    if (!continued) throw error;
  }
  // What lay there may have been the beginning of another file; this mirror's own has not been seen yet.
  await fetchWhole(request);
  return accept(request);
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
  try {
    const content = verifiedContent(await readFile(part), file);
    await rename(part, destination);
    return content;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
