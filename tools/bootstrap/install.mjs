// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand, run } from '../child-process.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

/**
 * What npm records about one package in package-lock.json.
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {boolean} [link]
 * @property {boolean} [optional]
 * @property {boolean} [devOptional]
 * @property {readonly string[]} [os]
 * @property {readonly string[]} [cpu]
 * @property {readonly string[]} [libc]
 *
 * What an installation was made from.
 * @typedef {object} Stamp
 * @property {string} lockHash  SHA-256 of package-lock.json.
 * @property {string} runtime   Platform, processor and Node's major version: native modules fit only these.
 */

const stampFile = (/** @type {string} */ root) => join(root, 'node_modules', '.batchwise-install.json');
/** npm's own record of what it installed, written as the last act of an installation. */
const recordFile = (/** @type {string} */ root) => join(root, 'node_modules', '.package-lock.json');

/**
 * @param {string} root
 * @returns {Stamp}
 */
const wantedStamp = (root) => ({
  lockHash: createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex'),
  runtime: `${process.platform}-${process.arch}-node${process.versions.node.split('.', 1)}`,
});

/**
 * @param {string} file
 * @returns {Readonly<Record<string, LockedPackage>>}
 */
const readPackages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/**
 * An optional package may be missing, unless it is the part of another that was made for this platform.
 * @param {LockedPackage} locked
 */
const mayBeMissing = ({ optional = false, devOptional = false, os, cpu, libc }) =>
  (optional || devOptional) &&
  !(os?.includes(process.platform) && cpu?.includes(process.arch) && libc === undefined);

/**
 * Whether npm's record has each locked package, in the locked version. A person may have run `npm ci` by hand.
 * @param {string} root
 */
function recordMatchesLock(root) {
  const installed = readPackages(recordFile(root));
  return Object.entries(readPackages(join(root, 'package-lock.json'))).every(([path, locked]) => {
    const found = installed[path];
    return found === undefined ? path === '' || mayBeMissing(locked) : found.version === locked.version;
  });
}

/**
 * Why the dependencies must be installed, if they must.
 * @param {string} root
 * @returns {string | undefined}
 */
export function installReason(root) {
  if (!existsSync(recordFile(root))) return 'not installed yet';
  const wanted = wantedStamp(root);
  /** @type {Stamp | undefined} */
  const stamp = readStamp(stampFile(root));
  if (stamp !== undefined && stamp.runtime !== wanted.runtime) {
    return `installed for ${stamp.runtime}, this is ${wanted.runtime}`;
  }
  if (stamp?.lockHash === wanted.lockHash) return undefined;
  if (!recordMatchesLock(root)) return 'package-lock.json has changed';
  writeStamp(stampFile(root), wanted);
  return undefined;
}

/**
 * Installs exactly what package-lock.json says.
 * @param {string} root
 * @param {AbortSignal} signal
 * @throws {Error} When npm fails; npm has then said why on the terminal.
 */
export async function install(root, signal) {
  rmSync(recordFile(root), { force: true });
  // Tests and builds need the devDependencies, also where NODE_ENV is "production".
  const command = npmCommand(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  const { exitCode } = await run(command, { cwd: root, signal, inherit: true });
  signal.throwIfAborted();
  if (exitCode !== 0) {
    throw new Error(
      `"npm ci" failed (exit code ${exitCode}); npm's own message is above. Usual causes: no network (the packages come from the npm registry), a full disk, or a package-lock.json that does not match a package.json (then run "npm install").`,
    );
  }
  writeStamp(stampFile(root), wantedStamp(root));
}
