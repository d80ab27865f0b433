// @ts-check
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 250;
const HEARTBEAT_MS = 2_000;
/** A holder that has not touched its file for so long is gone, even if its pid now belongs to another program. */
const STALE_AFTER_MS = 60_000;

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Error && 'code' in error ? error.code : undefined);

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Runs `action`; errors with one of the codes count as no result.
 * @template Result
 * @param {readonly string[]} codes
 * @param {() => Result} action
 * @returns {Result | undefined}
 */
function unless(codes, action) {
  try {
    return action();
  } catch (error) {
    if (codes.includes(String(codeOf(error)))) return undefined;
    throw error;
  }
}

/** @param {string} file */
const readHolder = (file) => unless(['ENOENT'], () => readFileSync(file, 'utf8'));

/** @param {string} file */
const tryCreate = (file) =>
  unless(['EEXIST'], () => {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  }) ?? false;

/**
 * Takes a dead holder's file away. Of several processes that try, the rename lets one win; if it moved a living
 * holder's file by mistake, it puts it back.
 * @param {string} file
 * @param {string} holder
 */
function removeStale(file, holder) {
  const moved = `${file}.${process.pid}`;
  unless(['ENOENT', 'EEXIST'], () => {
    renameSync(file, moved);
    if (readFileSync(moved, 'utf8') !== holder) linkSync(moved, file);
  });
  rmSync(moved, { force: true });
}

/**
 * @typedef {object} Lock
 * @property {string} file
 * @property {AbortSignal} [signal]               Ends the waiting with its reason.
 * @property {(holder: string) => void} [onWait]  Called with the holder's pid, once, if there is a wait.
 */

/** @param {Lock} lock */
async function acquire({ file, signal, onWait = () => {} }) {
  for (let waits = 0; !tryCreate(file);) {
    const holder = readHolder(file);
    const touched = unless(['ENOENT'], () => statSync(file).mtimeMs);
    if (holder === undefined || touched === undefined) continue;
    // An empty file was created a moment ago and its pid is being written.
    const isDead = holder !== '' && !isAlive(Number(holder));
    if (isDead || Date.now() - touched > STALE_AFTER_MS) {
      removeStale(file, holder);
      continue;
    }
    if (waits === 0) onWait(holder);
    waits += 1;
    await pause(POLL_MS, undefined, signal && { signal });
  }
}

/**
 * Runs `work` while holding a lock file, one process at a time. The file holds the owner's pid and is touched as long
 * as the owner works; a lock whose owner died is taken over.
 * @template Result
 * @param {Lock} lock
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withPidLock(lock, work) {
  const { file } = lock;
  await acquire(lock);
  const touch = () => unless(['ENOENT'], () => utimesSync(file, new Date(), new Date()));
  const heartbeat = setInterval(touch, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if (readHolder(file) === String(process.pid)) rmSync(file, { force: true });
  }
}
