import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { anySignal, type Command, type Ending } from './run.ts';
import type { Session } from './session.ts';

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

/** How long a program that fetches may take to write something, and how long it may pause after that, seconds. */
export interface IdleLimits {
  readonly first: number;
  readonly pause: number;
}

/** For npm and pip, which try again by themselves; what is beyond that hangs. */
export const FETCH_LIMITS: IdleLimits = { first: 60, pause: 120 };

/** A program that fetches something into folders. */
export interface Fetching {
  readonly command: Command;
  /** What it fills. */
  readonly folders: readonly string[];
  readonly limits: IdleLimits;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Runs a program that fetches something, and ends it when nothing arrives any more: a host that takes connections and
 * stays silent would hold the setup for many minutes.
 * @throws Error when nothing arrived for as long as the limits say
 */
export function runFetching(session: Session, fetching: Fetching): Promise<Ending> {
  const { command, folders, limits, onBytes } = fetching;
  const stall = new AbortController();
  const watch = (bytes: number, idleSeconds: number): void => {
    onBytes(bytes);
    const limit = bytes === 0 ? limits.first : limits.pause;
    if (idleSeconds > limit) stall.abort(new Error(`nothing arrived for ${limit} s`));
  };
  const signal = anySignal(stall.signal, session.signal);
  return whileWatching(folders, watch, () => session.run({ ...command, signal }));
}
