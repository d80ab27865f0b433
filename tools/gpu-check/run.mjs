// @ts-check
// Runs on the machine to be checked, started by run.sh in a pack that tools/gpu-check.mjs made: checks and unpacks the
// parts, tries every engine and writes what came out as JSON.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../child-process.mjs';
import { isMain } from '../is-main.mjs';
import { readChecksums, readParts, unpackArchive } from './parts.mjs';
import { ENGINES, doctorStep, engineSteps, rowNotRun, rowOf, whyNotTried } from './steps.mjs';

/**
 * @typedef {import('./steps.mjs').Row} Row
 * @typedef {import('./steps.mjs').Step} Step
 *
 * Where things are on the machine that is checked.
 * @typedef {object} Places
 * @property {string} pack
 * @property {string} work   Everything that is written, apart from the result.
 * @property {string} app    The unpacked packages.
 *
 * @typedef {(step: Step) => Promise<Row>} RunStep
 */

/**
 * `batchwise.gpu-check/1`: what the check writes.
 * @typedef {object} Result
 * @property {'batchwise.gpu-check/1'} schema
 * @property {unknown} pack              What was packed, and from what: pack.json.
 * @property {readonly Row[]} rows
 */

/** An archive's place in the work folder, by the start of its name. */
const targetOf = (/** @type {string} */ name) =>
  name.startsWith('native-') ? join('cache', 'native') : name;

/**
 * Checks and unpacks an archive; Node itself runs already and is only checked.
 * @param {Places} places
 * @param {string} name
 * @param {readonly import('./parts.mjs').Part[]} parts
 * @returns {Promise<Row>}
 */
async function unpackRow({ pack, work }, name, parts) {
  const started = performance.now();
  const base = { step: `unpack ${name}`, engine: null, exitCode: null, log: [] };
  const seconds = () => (performance.now() - started) / 1000;
  const target = join(work, targetOf(name));
  try {
    if (name === 'node') for await (const piece of readParts(pack, parts)) void piece;
    else {
      await mkdir(target, { recursive: true });
      await unpackArchive({ folder: pack, parts }, target);
    }
    return { ...base, status: 'passed', reason: '', seconds: seconds(), figures: { parts: parts.length } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...base, status: 'failed', reason, seconds: seconds(), figures: null };
  }
}

/** @param {string} text */
function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // None, or cut short.
  }
}

/**
 * Starts steps with this Node, a home of their own and the unpacked runtime.
 * @param {Places} places
 * @param {number} timeLimitSeconds
 * @returns {RunStep}
 */
export const stepRunner =
  ({ work, app }, timeLimitSeconds) =>
  async (step) => {
    const started = performance.now();
    const signal = AbortSignal.timeout(1000 * timeLimitSeconds);
    const home = join(work, 'home');
    await mkdir(home, { recursive: true });
    if (step.json !== undefined) await rm(step.json, { force: true });
    const env = { HOME: home, BATCHWISE_CACHE_DIR: join(work, 'cache'), NO_COLOR: '1', ...step.env };
    const command = { program: process.execPath, args: step.args };
    const { exitCode, output } = await run(command, { cwd: app, env, signal, stopSignal: 'SIGKILL' });
    const written = step.json === undefined ? (output.trim().split('\n').at(-1) ?? '') : '';
    const text = step.json === undefined ? written : await readFile(step.json, 'utf8').catch(() => '');
    const ending = { output, seconds: (performance.now() - started) / 1000, record: jsonOf(text) };
    return signal.aborted
      ? rowOf(step, { ...ending, exitCode: null, failure: `ended after ${timeLimitSeconds} s` })
      : rowOf(step, { ...ending, exitCode });
  };

/**
 * Tries all engines, one after the other: side by side they would spoil each other's times.
 * @param {Places} places
 * @param {RunStep} runStep
 * @param {(row: Row) => void} onRow
 */
export async function tryEngines({ app, work }, runStep, onRow) {
  const doctor = await runStep(doctorStep(app, work));
  onRow(doctor);
  const record = /** @type {Parameters<typeof whyNotTried>[1]} */ (doctor.figures ?? undefined);
  for (const engine of ENGINES) {
    const reason = whyNotTried(engine, record);
    for (const step of engineSteps(app, work, engine))
      onRow(reason === '' ? await runStep(step) : rowNotRun(step, reason));
  }
}

/** @param {Row} row */
const line = ({ step, engine, status, reason, seconds }) =>
  [[step, engine].filter(Boolean).join(', ').padEnd(24), status.padEnd(7), `${seconds.toFixed(1)} s`, reason]
    .join('  ')
    .trimEnd();

/**
 * The whole check.
 * @param {string} pack
 * @param {{ readonly json: string, readonly timeLimitSeconds: number }} options
 * @returns {Promise<Result>}
 */
export async function check(pack, { json, timeLimitSeconds }) {
  const work = join(pack, 'work');
  const places = { pack, work, app: join(work, 'app') };
  /** @type {Row[]} */
  const rows = [];
  const onRow = (/** @type {Row} */ row) => {
    rows.push(row);
    console.log(line(row));
  };
  for (const folder of ['app', 'cache']) await rm(join(work, folder), { recursive: true, force: true });
  for (const [name, parts] of await readChecksums(pack)) onRow(await unpackRow(places, name, parts));
  if (rows.some(({ step, status }) => step === 'unpack app' && status === 'failed'))
    onRow(rowNotRun({ step: 'doctor', engine: null }, 'the packages were not unpacked'));
  else await tryEngines(places, stepRunner(places, timeLimitSeconds), onRow);
  const about = join(pack, 'pack.json');
  /** @type {Result} */
  const result = {
    schema: 'batchwise.gpu-check/1',
    pack: existsSync(about) ? jsonOf(await readFile(about, 'utf8')) : null,
    rows,
  };
  await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      json: { type: 'string', default: 'gpu-check.json' },
      'time-limit': { type: 'string', default: '600' },
    },
  });
  const timeLimitSeconds = Number(values['time-limit']);
  if (!(timeLimitSeconds > 0 && timeLimitSeconds <= 86_400)) {
    console.error(`--time-limit is ${values['time-limit']}; give seconds, above 0 and up to 86400.`);
    process.exit(2);
  }
  const json = resolve(values.json);
  const { rows } = await check(fileURLToPath(new URL('../..', import.meta.url)), { json, timeLimitSeconds });
  const failed = rows.filter(({ status }) => status === 'failed').length;
  console.log(`${rows.length} rows, ${failed} failed, written to ${json}`);
  process.exitCode = failed > 0 ? 1 : 0;
}
