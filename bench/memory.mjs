// The ceiling that findCeiling finds against the true one, on engines with a hard limit, each trial in a process of its own.
//   node bench/memory.mjs [--engine webgpu|native|native-bfc|wasm|container] [--model mlp|cnn|cnn-bn|lstm]
//                         [--searches N] [--json FILE]
// The truth is found by trying: up from the ceiling until a size fails, then by halves to the largest that trains, with its
// neighbours. Predictions are judged twice: what the search expected of each size before it tried it, and what the fit
// that it ends with says of other sizes. native and container need `batchwise setup-native`; container also needs to be
// allowed to make a control group. No time is measured, so other work does no harm.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findCeiling, predictPeakBytes } from '@batchwise/memory-probe';
import { isolatedTrial } from '@batchwise/memory-probe/node';
import { argumentsOf } from './arguments.mjs';
import { ENGINES } from './memory/engines.mjs';
import { MODELS } from './memory/models.mjs';
import { errorsLine, percent, rowLine, totalsOf } from './memory/report.mjs';
import { largestThatTrains } from './memory/truth.mjs';

const options = argumentsOf(import.meta.url, {
  engine: { type: 'string', multiple: true, default: Object.keys(ENGINES) },
  model: { type: 'string', multiple: true, default: Object.keys(MODELS) },
  searches: { type: 'string', default: '3' },
  json: { type: 'string' },
});

const modulePath = fileURLToPath(new URL('memory/trial-process.mjs', import.meta.url));
/** Sizes, from the first trial to the ceiling, at which the fit is held against measurements. */
const CHECKED_SIZES = 5;
const FIRST = 16;

function trialOf(engine, model, limits) {
  const { env, execArgv = [] } = ENGINES[engine];
  const common = { modulePath, args: [engine, model], execArgv, timeoutSeconds: 600, ...limits };
  const isolated = isolatedTrial({ ...common, env: { ...process.env, ...env } });
  return {
    search: isolated,
    /** One size, without a canary and with no expectation. */
    run: (batchSize) =>
      isolated({ batchSize, referenceSize: null, predictedPeakBytes: null, signal: undefined }),
  };
}

const error = (predicted, { peakBytes }) => predicted / peakBytes - 1;

/** What the search expected of the sizes that it tried, as far as they ran. */
const expected = ({ trials }) =>
  trials
    .filter(({ predictedPeakBytes, peak }) => predictedPeakBytes !== null && peak)
    .map(({ batchSize, predictedPeakBytes, peak }) => ({
      batchSize,
      error: error(predictedPeakBytes, peak),
    }));

/** What the fit says of sizes between those that were tried. */
async function between(run, { fit, batchSize, trials }) {
  const errors = [];
  for (let k = 1; fit && k <= CHECKED_SIZES; k += 1) {
    const size = Math.round(FIRST * (batchSize / FIRST) ** (k / (CHECKED_SIZES + 1)));
    if (trials.some((trial) => trial.batchSize === size)) continue;
    const { peak } = await run(size);
    if (peak) errors.push({ batchSize: size, error: error(predictPeakBytes(fit, size), peak) });
  }
  return errors;
}

async function measure(engine, model, limits) {
  const { budgetBytes, canary = 'required' } = ENGINES[engine];
  const { search, run } = trialOf(engine, model, limits);
  const searches = [];
  for (let k = 0; k < Number(options.searches); k += 1) {
    const ceiling = await findCeiling(search, { budgetBytes, canary, start: FIRST });
    const again = await run(ceiling.batchSize);
    searches.push({ ceiling, expected: expected(ceiling), trainsAgain: again.kind === 'trained' });
  }
  const highest = Math.max(...searches.map(({ ceiling }) => ceiling.batchSize));
  const truth = await largestThatTrains(run, highest);
  return { engine, model, searches, truth, between: await between(run, searches[0].ceiling) };
}

const rows = [];
console.log('engine     model  ceilings        true   of the truth     trials  too big  expected  between');
for (const engine of options.engine) {
  const { isolation = () => ({}) } = ENGINES[engine];
  const limits = isolation();
  if (limits === undefined) {
    console.log(`${engine}: left out, for this process may not make a control group`);
    continue;
  }
  for (const model of options.model) {
    const row = await measure(engine, model, limits);
    rows.push(row);
    console.log(rowLine(row));
    if (options.json)
      writeFileSync(options.json, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
  }
}
const { searches, within, clean, trialsAtMost, failedAgain } = totalsOf(rows);
console.log(
  `${searches} searches: ${percent(within / searches)} within 5 % of the truth, at most ${trialsAtMost} trials, ` +
    `${percent(clean / searches)} without a trial that was too big; ${failedAgain} ceilings failed when they were run again.`,
);
console.log(
  errorsLine(
    'What was expected of a size before it was tried',
    rows.flatMap((row) => row.searches).flatMap((each) => each.expected),
  ),
);
console.log(
  errorsLine(
    'What the fit says of sizes between',
    rows.flatMap((row) => row.between),
  ),
);
