// @ts-check
// The whole check of this repository, behind `npm test`: build, layers, types, lint, then every test. The last line that
// it prints is the count. Arguments go to vitest: npm test -- --project core
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NX_ENVIRONMENT, installedCommand, run } from './child-process.mjs';
import { RULE_SKIPPED } from './test/rule-skipped.mjs';
import { addCounts, countLine, readVitestReport } from './test/counts.mjs';
import { workspaces } from './workspaces.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * A check with one result, run before the tests.
 * @typedef {object} Stage
 * @property {string} name
 * @property {() => import('./child-process.mjs').Command} command  Asked for when the build is there.
 * @property {RegExp} [failsOn]  Output that means failure whatever the exit code says.
 */

/**
 * @param {string} target
 * @param {string[]} args
 * @returns {import('./child-process.mjs').Command}
 */
const nx = (target, ...args) =>
  installedCommand(root, {
    name: 'nx',
    args: ['run-many', '-t', target, `--parallel=${availableParallelism()}`, ...args],
  });

/**
 * @param {string} tool
 * @param {string[]} args
 * @returns {import('./child-process.mjs').Command}
 */
const node = (tool, ...args) => ({ program: process.execPath, args: [join(root, 'tools', tool), ...args] });

/** @type {Stage} */
const BUILD = { name: 'install and build', command: () => node('bootstrap.mjs', '--build-only') };

/** All types in one process: one for each workspace reads TensorFlow.js and the others' types again, and takes twice as long. */
const typecheck = () => {
  const checked = workspaces(root).filter(({ path }) => existsSync(join(path, 'tsconfig.json')));
  const args = ['-b', ...checked.map(({ path }) => path)];
  return installedCommand(root, { name: 'typescript', command: 'tsc', args });
};

/**
 * Run side by side.
 * @type {readonly Stage[]}
 */
const CHECKS = [
  { name: 'layers', command: () => node('check-layers.mjs') },
  { name: 'typecheck', command: typecheck },
  // The other output styles keep a passing task's warning to themselves.
  { name: 'lint', command: () => nx('lint', '--outputStyle=static'), failsOn: RULE_SKIPPED },
];

/**
 * Runs a stage and shows its output only if it failed.
 * @param {Stage} stage
 * @returns {Promise<import('./test/counts.mjs').Counts>}
 */
async function runStage({ name, command, failsOn }) {
  const start = performance.now();
  const { exitCode, output } = await started(command);
  const hasPassed = exitCode === 0 && failsOn?.test(output) !== true;
  if (!hasPassed) console.log(output);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${hasPassed ? '✔' : '✖'} ${name} (${seconds} s)`);
  return { passed: Number(hasPassed), failed: Number(!hasPassed), skipped: 0 };
}

/**
 * What could not be started has failed, and the others go on.
 * @param {Stage['command']} command
 * @returns {Promise<{ readonly exitCode: number, readonly output: string }>}
 */
async function started(command) {
  try {
    return await run(command(), { cwd: root, env: NX_ENVIRONMENT });
  } catch (error) {
    return { exitCode: 1, output: String(error) };
  }
}

/** Has native TensorFlow set up for the tests that need it. That is no check: where it is not to be had, they are skipped. */
async function prepareNative() {
  const start = performance.now();
  const { output } = await run(node('bootstrap.mjs'), { cwd: root });
  const said = output.split('\n').find((line) => line.startsWith('Native TensorFlow is '));
  const silence =
    process.env.BATCHWISE_SETUP_NATIVE === 'never'
      ? 'Native TensorFlow is not set up: BATCHWISE_SETUP_NATIVE says never.'
      : 'Native TensorFlow was set up before.';
  console.log(`• ${said ?? silence} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

/**
 * @param {readonly string[]} args
 * @param {'computing' | 'others' | undefined} part  Which tests (vitest.config.ts); all where it is undefined.
 * @returns {Promise<import('./test/counts.mjs').Counts>}
 */
async function runVitest(args, part) {
  const folder = mkdtempSync(join(tmpdir(), 'batchwise-test-'));
  const file = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const command = installedCommand(root, { name: 'vitest', args: ['run', ...reporters, ...args] });
    const env = part ? { BATCHWISE_TEST_PART: part } : {};
    const { exitCode } = await run(command, { cwd: root, inherit: true, env });
    return readVitestReport(file, exitCode);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let counts = await runStage(BUILD);
// Downloads and a compiler of one thread leave room for the checks.
const preparing = counts.failed === 0 ? prepareNative() : undefined;
for (const checked of await Promise.all(CHECKS.map(runStage))) counts = addCounts(counts, checked);
const args = process.argv.slice(2);
// Tests that touch no engine run while native TensorFlow is still being set up. What a user asks for is one run.
if (args.length === 0) counts = addCounts(counts, await runVitest(args, 'computing'));
await preparing;
counts = addCounts(counts, await runVitest(args, args.length === 0 ? 'others' : undefined));
console.log(countLine(counts));
if (counts.failed > 0) process.exitCode = 1;
