// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NX_ENVIRONMENT, installedCommand, run } from '../child-process.mjs';
import { sourceFiles, workspaces } from '../workspaces.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

/**
 * @typedef {object} Stamp
 * @property {string} inputs   Hash of all that the builds read.
 * @property {string} outputs  Hash of the names and sizes of all that they wrote.
 */

const stampFile = (/** @type {string} */ root) => join(root, '.nx', 'batchwise-build.json');

/** The files outside the workspaces that decide what a build writes; see `sharedGlobals` in nx.json. */
const SHARED_INPUTS = ['nx.json', 'package-lock.json', 'tsconfig.base.json', 'tools/tsup.preset.ts'];

/** @param {string} root */
const builtWorkspaces = (root) =>
  workspaces(root).filter(({ manifest }) => manifest.scripts?.build !== undefined);

/** @param {string} path */
const isBuildInput = (path) => !path.startsWith('test/') && !path.endsWith('.md');

/** @param {string} root */
function hashInputs(root) {
  const hash = createHash('sha256').update(process.version);
  const members = builtWorkspaces(root).flatMap(({ folder, path }) =>
    sourceFiles(path)
      .filter(isBuildInput)
      .map((file) => `${folder}/${file}`),
  );
  for (const file of [...SHARED_INPUTS.filter((path) => existsSync(join(root, path))), ...members]) {
    const content = readFileSync(join(root, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** @param {string} folder */
const outputFiles = (folder) => {
  const dist = join(folder, 'dist');
  return existsSync(dist) ? readdirSync(dist, { recursive: true, encoding: 'utf8' }).sort() : [];
};

/** @param {string} root */
function hashOutputs(root) {
  const hash = createHash('sha256');
  for (const { folder, path } of builtWorkspaces(root)) {
    for (const file of outputFiles(path))
      hash.update(`${folder}/${file} ${statSync(join(path, 'dist', file)).size}\n`);
  }
  return hash.digest('hex');
}

/** @param {string} root */
const withoutOutput = (root) => builtWorkspaces(root).filter(({ path }) => outputFiles(path).length === 0);

/**
 * Whether the last build was made from the files as they are now and all that it wrote is still there.
 * @param {string} root
 */
export function isBuilt(root) {
  /** @type {Stamp | undefined} */
  const stamp = readStamp(stampFile(root));
  if (stamp === undefined || withoutOutput(root).length > 0) return false;
  return stamp.inputs === hashInputs(root) && stamp.outputs === hashOutputs(root);
}

/**
 * Builds all workspaces in the order of their dependencies; Nx skips those whose inputs have not changed.
 * @param {string} root
 * @param {{ readonly signal: AbortSignal, readonly report: (line: string) => void }} options
 * @throws {Error} When a build fails; its output is then on the terminal.
 */
export async function build(root, { signal, report }) {
  const inputs = hashInputs(root);
  const command = installedCommand(root, { name: 'nx', args: ['run-many', '-t', 'build'] });
  const { exitCode, output } = await run(command, {
    cwd: root,
    signal,
    env: NX_ENVIRONMENT,
    onLine: (line) => /^\s*[✔✖]/u.test(line) && report(line.trim()),
  });
  signal.throwIfAborted();
  if (exitCode !== 0) {
    console.error(output);
    throw new Error(
      `the build failed (nx, exit code ${exitCode}); the compiler's messages are above. Correct the sources and run the same command again.`,
    );
  }
  const [empty] = withoutOutput(root);
  if (empty !== undefined)
    throw new Error(`The build of ${empty.folder} wrote nothing to ${empty.folder}/dist.`);
  /** @type {Stamp} */
  const stamp = { inputs, outputs: hashOutputs(root) };
  writeStamp(stampFile(root), stamp);
}
