// @ts-check
import { join } from 'node:path';

/**
 * What one step came to; a step that failed is a row like the others.
 * @typedef {object} Row
 * @property {string} step
 * @property {string | null} engine
 * @property {'passed' | 'failed' | 'notRun'} status
 * @property {string} reason             Why it did not pass; empty where it did.
 * @property {number | null} exitCode    null where nothing was started, or nothing ended by itself.
 * @property {number} seconds
 * @property {Readonly<Record<string, unknown>> | null} figures
 * @property {readonly string[]} log     The last lines that it wrote.
 *
 * A program to be started on the unpacked packages.
 * @typedef {object} Step
 * @property {string} step
 * @property {string | null} engine
 * @property {readonly string[]} args                   For Node.
 * @property {Readonly<Record<string, string>>} [env]
 * @property {string} [json]                            The file that it writes; else its last line is the JSON.
 * @property {(record: never) => Readonly<Record<string, unknown>>} figures  Of what it wrote, each of its own form.
 * @property {(record: never) => string} [complaint]    Why what it wrote is not good enough; empty where it is.
 *
 * What vitest writes.
 * @typedef {{ readonly numPassedTests: number, readonly numFailedTests: number }} TestReport
 *
 * What is read of the record of a training.
 * @typedef {object} TrainingRecord
 * @property {{ readonly name: string, readonly device: string }} backend
 * @property {{ readonly examples: number, readonly seconds: number, readonly tuningSeconds: number }} totals
 * @property {readonly { readonly batchSize: number }[]} plans
 * @property {{ readonly accuracy?: number }} [test]
 * @property {{ readonly peakBytes?: number }} [memory]
 *
 * How a step's program ended.
 * @typedef {object} StepEnding
 * @property {number | null} exitCode  null: it was ended for its time, or never began.
 * @property {string} output
 * @property {number} seconds
 * @property {unknown} record          What it wrote as JSON; undefined where it wrote none.
 * @property {string} [failure]        Why it did not end by itself.
 */

/** The fastest kind first, as doctor has them; the last ones say whether the pack itself is whole. */
export const ENGINES = ['cuda', 'webgpu', 'native', 'wasm', 'cpu'];
const GPU_ENGINES = ['cuda', 'webgpu'];

/** What doctor says of an engine on which nothing more is tried. */
const HOPELESS = ['unavailable', 'noGpu', 'software'];

const EPOCHS = 3;
const STEP_TIME_MODELS = ['mlp', 'cnn'];
const STEP_TIME = { batchSizes: [32, 128, 1024], repeats: 5 };
const LOG_LINES = 20;

/**
 * @param {string} app Where the packages were unpacked.
 * @param {string} work For the files that steps write.
 * @returns {Step}
 */
export const doctorStep = (app, work) => ({
  step: 'doctor',
  engine: null,
  args: [batchwise(app), 'doctor', '--time-limit', '180', '--json', join(work, 'doctor.json')],
  json: join(work, 'doctor.json'),
  figures: (record) => record,
});

/** @param {string} app */
const batchwise = (app) => join(app, 'node_modules', 'batchwise', 'bin', 'batchwise.mjs');

/**
 * What is run on an engine: the contract suite, a training, and on a GPU what a step takes.
 * @param {string} app
 * @param {string} work
 * @param {string} engine
 * @returns {readonly Step[]}
 */
export function engineSteps(app, work, engine) {
  const stepTimes = GPU_ENGINES.includes(engine)
    ? STEP_TIME_MODELS.map((model) => stepTime(app, engine, model))
    : [];
  return [contract(app, work, engine), training(app, work, engine), ...stepTimes];
}

/** @type {(app: string, work: string, engine: string) => Step} */
function contract(app, work, engine) {
  const json = join(work, `contract-${engine}.json`);
  const vitest = join(app, 'node_modules', 'vitest', 'vitest.mjs');
  const limits = ['--testTimeout=120000', '--hookTimeout=120000'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${json}`];
  return {
    step: 'contract',
    engine,
    args: [vitest, 'run', '--root', app, '--pool=forks', ...limits, ...reporters],
    env: { ENGINE: engine },
    json,
    figures: (/** @type {TestReport} */ report) => ({
      passed: report.numPassedTests,
      failed: report.numFailedTests,
    }),
    complaint: (/** @type {TestReport} */ { numPassedTests }) => (numPassedTests > 0 ? '' : 'no test ran'),
  };
}

/** @type {(app: string, work: string, engine: string) => Step} */
function training(app, work, engine) {
  const json = join(work, `train-${engine}.json`);
  const task = ['--dataset', 'digits', '--epochs', String(EPOCHS), '--seed', '0', '--no-record', '--quiet'];
  return {
    step: 'train',
    engine,
    args: [batchwise(app), 'train', ...task, '--backend', engine, '--json', json],
    json,
    figures: (/** @type {TrainingRecord} */ run) => ({
      ...run.backend,
      ...run.totals,
      examplesPerSecond: run.totals.examples / run.totals.seconds,
      tuningShare: run.totals.tuningSeconds / run.totals.seconds,
      batchSize: run.plans.at(-1)?.batchSize ?? null,
      plans: run.plans.length,
      testAccuracy: run.test?.accuracy ?? null,
      peakBytes: run.memory?.peakBytes ?? null,
    }),
    complaint: (/** @type {TrainingRecord} */ { backend }) =>
      backend.name !== engine || backend.device.endsWith('(software)')
        ? `it ran on ${backend.name}, ${backend.device}`
        : '',
  };
}

/** @type {(app: string, engine: string, model: string) => Step} */
const stepTime = (app, engine, model) => ({
  step: `step time, ${model}`,
  engine,
  args: [join(app, 'bench', 'step-time-engine.mjs'), JSON.stringify({ engine, model, ...STEP_TIME })],
  figures: (report) => report,
  complaint: (/** @type {{ readonly device: string }} */ { device }) =>
    device.endsWith('(software)') ? `it ran on ${device}` : '',
});

/**
 * Why nothing is tried on an engine; empty where it is. An engine that crashed or trains wrongly is tried all the same: what
 * it then says is what one wants to know.
 * @param {string} engine
 * @param {{ readonly engines: readonly { engine: string, verdict: string, reason: string, remedy: string }[] } | undefined} doctor
 */
export function whyNotTried(engine, doctor) {
  const report = doctor?.engines.find((candidate) => candidate.engine === engine);
  if (report === undefined || !HOPELESS.includes(report.verdict)) return '';
  const what =
    report.verdict === 'unavailable' ? 'not to be had' : report.verdict === 'noGpu' ? 'no GPU' : 'software';
  return [what, report.reason, report.remedy].filter(Boolean).join(': ');
}

/**
 * The row of a step that is not run.
 * @param {Pick<Step, 'step' | 'engine'>} step
 * @param {string} reason
 * @returns {Row}
 */
export const rowNotRun = ({ step, engine }, reason) => ({
  step,
  engine,
  status: 'notRun',
  reason,
  exitCode: null,
  seconds: 0,
  figures: null,
  log: [],
});

/**
 * The row of a step that ran. Its figures are kept where it failed as well, if there are any.
 * @param {Step} step
 * @param {StepEnding} ending
 * @returns {Row}
 */
export function rowOf({ step, engine, figures, complaint }, { exitCode, output, seconds, record, failure }) {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  const said = lines.findLast((line) => /^(batchwise|error|\w*Error): /.test(line));
  const base = { step, engine, exitCode, seconds, log: lines.slice(-LOG_LINES) };
  /** @type {Row['figures']} */
  let found = null;
  let problem = failure ?? (exitCode === 0 ? '' : (said ?? lines.at(-1) ?? `it ended with ${exitCode}`));
  try {
    if (record !== undefined) found = figures(/** @type {never} */ (record));
    else if (problem === '') problem = 'it wrote no figures';
    if (problem === '') problem = complaint?.(/** @type {never} */ (record)) ?? '';
  } catch (error) {
    if (problem === '') problem = `what it wrote cannot be read: ${String(error)}`;
  }
  return { ...base, status: problem === '' ? 'passed' : 'failed', reason: problem, figures: found };
}
