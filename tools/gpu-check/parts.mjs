// @ts-check
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/**
 * One file of an archive that was cut into parts.
 * @typedef {object} Part
 * @property {string} file    Its name, `ARCHIVE.part-000` and so on.
 * @property {string} sha256
 */

/** Parts that every way of carrying files takes, bytes. */
export const PART_BYTES = 60_000_000;

/** The list of parts in the pack, as `sha256sum -c` reads it. */
export const CHECKSUM_FILE = 'SHA256SUMS';

/**
 * Cuts a stream into files of at most `partBytes`, and never holds more than a piece of it.
 * @param {AsyncIterable<Uint8Array>} stream
 * @param {{ readonly folder: string, readonly name: string, readonly partBytes?: number }} target
 * @returns {Promise<{ readonly parts: readonly Part[], readonly bytes: number }>}
 */
export async function writeParts(stream, { folder, name, partBytes = PART_BYTES }) {
  /** @type {Part[]} */
  const parts = [];
  let bytes = 0;
  const begin = async () => {
    const file = `${name}.part-${String(parts.length).padStart(3, '0')}`;
    return { file, handle: await open(join(folder, file), 'w'), hash: createHash('sha256'), room: partBytes };
  };
  /** @param {Awaited<ReturnType<typeof begin>>} part */
  const end = async ({ file, handle, hash }) => {
    await handle.close();
    parts.push({ file, sha256: hash.digest('hex') });
  };
  let part = await begin();
  try {
    for await (const piece of stream)
      for (let from = 0; from < piece.length;) {
        if (part.room === 0) {
          await end(part);
          part = await begin();
        }
        const some = piece.subarray(from, from + part.room);
        await part.handle.writeFile(some);
        part.hash.update(some);
        part.room -= some.length;
        from += some.length;
        bytes += some.length;
      }
  } finally {
    await end(part);
  }
  return { parts, bytes };
}

/**
 * The content of an archive, part by part.
 * @param {string} folder
 * @param {readonly Part[]} parts
 * @returns {AsyncGenerator<Uint8Array>}
 * @throws {Error} With the name of the first part that is missing or not what was packed.
 */
export async function* readParts(folder, parts) {
  for (const { file, sha256 } of parts) {
    // Checked before it is handed on: what unpacks it would otherwise fail first, and not say where.
    const content = await readFile(join(folder, file)).catch((cause) => {
      throw new Error(`${file} cannot be read: copy it again.`, { cause });
    });
    const found = createHash('sha256').update(content).digest('hex');
    if (found !== sha256)
      throw new Error(`${file} is damaged: its SHA-256 is ${found}, not ${sha256}; copy it again.`);
    yield content;
  }
}

/**
 * Writes the checksums of all parts.
 * @param {string} folder
 * @param {readonly Part[]} parts
 */
export const writeChecksums = (folder, parts) =>
  writeFile(join(folder, CHECKSUM_FILE), parts.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join(''));

/**
 * The parts of each archive of a pack, by the archive's name, in the order of the list.
 * @param {string} folder
 * @returns {Promise<ReadonlyMap<string, readonly Part[]>>}
 */
export async function readChecksums(folder) {
  /** @type {Map<string, Part[]>} */
  const archives = new Map();
  for (const line of (await readFile(join(folder, CHECKSUM_FILE), 'utf8')).trim().split('\n')) {
    const [, sha256 = '', file = '', name = ''] = /^([0-9a-f]{64}) {2}((.+)\.part-\d+)$/.exec(line) ?? [];
    if (file === '') throw new Error(`${CHECKSUM_FILE} has a line that names no part: ${line}`);
    archives.set(name, [...(archives.get(name) ?? []), { file, sha256 }]);
  }
  return archives;
}

const TAR_IS_GONE = ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'];

/**
 * Runs tar; what it says is part of the error.
 * @param {readonly string[]} args
 * @param {(tar: import('node:child_process').ChildProcessWithoutNullStreams) => Promise<unknown>} exchange
 */
async function withTar(args, exchange) {
  const tar = spawn('tar', args);
  let said = '';
  tar.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  const closed = once(tar, 'close');
  const [exchanged, ended] = await Promise.allSettled([exchange(tar), closed]);
  if (ended.status === 'rejected') throw new Error('tar cannot be started.', { cause: ended.reason });
  // An error of the exchange, such as a damaged part, is what made tar fail. That tar is gone is none: it does not read
  // the padding behind its last file.
  if (exchanged.status === 'rejected' && !TAR_IS_GONE.includes(exchanged.reason.code)) throw exchanged.reason;
  if (ended.value[0] !== 0) throw new Error(`tar ${args.join(' ')} ended with ${ended.value[0]}: ${said}`);
}

/**
 * Packs files and folders as a compressed tar in parts.
 * @param {{ readonly from: string, readonly names: readonly string[] }} source Names in the folder `from`.
 * @param {{ readonly folder: string, readonly name: string, readonly partBytes?: number }} target
 */
export async function packArchive({ from, names }, target) {
  /** @type {Awaited<ReturnType<typeof writeParts>> | undefined} */
  let written;
  await withTar(['-c', '-f', '-', '-C', from, '--', ...names], async ({ stdout }) => {
    const gzip = createGzip({ level: 4 });
    [, written] = await Promise.all([pipeline(stdout, gzip), writeParts(gzip, target)]);
  });
  if (written === undefined) throw new Error(`Nothing was packed from ${from}.`);
  return written;
}

/**
 * Unpacks what {@link packArchive} made, checking each part.
 * @param {{ readonly folder: string, readonly parts: readonly Part[] }} archive
 * @param {string} target An existing folder.
 */
export const unpackArchive = ({ folder, parts }, target) =>
  withTar(['-x', '-o', '-f', '-', '-C', target], ({ stdin }) =>
    pipeline(Readable.from(readParts(folder, parts)), createGunzip(), stdin),
  );
