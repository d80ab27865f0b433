import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How far a step of the setup is. */
export interface SetupProgress {
  /** The step, for a person: `Downloading tensorflow-cpu 2.21.0`. */
  readonly step: string;
  readonly done: number;
  /** Missing while it is not known. */
  readonly total?: number;
  readonly unit: 'bytes' | 'parts';
}

/** Bytes in the files of the folders, links not followed; files that come and go meanwhile are skipped. */
export async function bytesIn(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((one) => one.isFile()))
      bytes += await stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}

/**
 * Measures folders again and again while some work goes on, for programs that do not say how far they are.
 * @param folders what the work fills
 * @param onBytes called with the bytes in them and the seconds since they last grew
 */
export async function whileWatching<T>(
  folders: readonly string[],
  onBytes: (bytes: number, idleSeconds: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  let [most, grewAt, busy] = [0, performance.now(), false];
  let hasEnded = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void bytesIn(folders).then((bytes) => {
      if (hasEnded) return;
      busy = false;
      if (bytes > most) [most, grewAt] = [bytes, performance.now()];
      onBytes(bytes, (performance.now() - grewAt) / 1000);
    });
  }, 500);
  try {
    return await work();
  } finally {
    hasEnded = true;
    clearInterval(timer);
  }
}
