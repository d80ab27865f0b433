// The ceiling that findCeiling finds against the true one, on engines with a hard limit, each trial in a process of its own.
//   node bench/memory.mjs [--engine webgpu|native|wasm] [--model mlp|cnn|cnn-bn|lstm] [--json FILE]
// The truth is found by trying: up from the ceiling until a size fails, then by halves to the largest that trains, with its
// neighbours. native needs `batchwise setup-native` first.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findCeiling, predictPeakBytes } from '@batchwise/memory-probe';
import { isolatedTrial } from '@batchwise/memory-probe/node';
import { ENGINES } from './memory/engines.mjs';
import { MODELS } from './memory/models.mjs';

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', multiple: true, default: Object.keys(ENGINES) },
    model: { type: 'string', multiple: true, default: Object.keys(MODELS) },
    json: { type: 'string' },
  },
});

const modulePath = fileURLToPath(new URL('memory/trial-process.mjs', import.meta.url));
/** Sizes between which predictions are held against measurements. */
const CHECKED_SIZES = 8;

const trialOf = (engine, model) => {
  const { env, execArgv = [] } = ENGINES[engine];
  return isolatedTrial({
    modulePath,
    args: [engine, model],
    execArgv,
    env: { ...process.env, ...env },
    timeoutSeconds: 600,
  });
};

/** The largest size that trains, at `low` or above. Sizes fail only from there on, or it says so. */
async function trueCeiling(trial, low) {
  const tried = new Map();
  const fits = async (batchSize) => {
    const known = tried.get(batchSize);
    if (known !== undefined) return known;
    const outcome = await trial({
      batchSize,
      referenceSize: null,
      predictedPeakBytes: null,
      signal: undefined,
    });
    const trains = outcome.kind === 'trained';
    tried.set(batchSize, trains);
    return trains;
  };
  let high = Math.ceil(1.01 * low) + 1;
  for (let step = 0.02; await fits(high); step *= 2) {
    low = high;
    high = Math.ceil(high * (1 + step));
  }
  while (high - low > Math.max(1, 0.002 * low)) {
    const middle = Math.round((low + high) / 2);
    if (await fits(middle)) low = middle;
    else high = middle;
  }
  // Sizes above that train all the same, or below that do not.
  const odd = [];
  for (const share of [0.97, 0.98, 0.99, 0.995]) if (!(await fits(Math.round(share * low)))) odd.push(share);
  for (const share of [1.005, 1.01, 1.02, 1.04]) if (await fits(Math.round(share * low))) odd.push(share);
  return { batchSize: low, odd };
}

/** Predicted against measured peaks, from the first size to the ceiling. */
async function predictionErrors(trial, { fit, batchSize, trials }) {
  if (!fit) return [];
  const tried = new Set(trials.map((record) => record.batchSize));
  const errors = [];
  for (let k = 1; k <= CHECKED_SIZES; k += 1) {
    const size = Math.round(32 * (batchSize / 32) ** (k / (CHECKED_SIZES + 1)));
    if (tried.has(size)) continue;
    const { peak } = await trial({
      batchSize: size,
      referenceSize: null,
      predictedPeakBytes: null,
      signal: undefined,
    });
    if (peak?.peakBytes > 0)
      errors.push({ batchSize: size, error: predictPeakBytes(fit, size) / peak.peakBytes - 1 });
  }
  return errors;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const sorted = (numbers) => [...numbers].sort((a, b) => a - b);

const rows = [];
console.log('engine  model   ceiling  true     share    limited by     trials  failed  sizes tried');
for (const engine of options.engine) {
  for (const model of options.model) {
    const trial = trialOf(engine, model);
    const { budgetBytes, canary = 'required' } = ENGINES[engine];
    const startedAt = performance.now();
    const ceiling = await findCeiling(trial, { budgetBytes, canary });
    const seconds = (performance.now() - startedAt) / 1000;
    const truth = await trueCeiling(trial, ceiling.batchSize);
    const errors = await predictionErrors(trial, ceiling);
    rows.push({ engine, model, ceiling, truth, errors, seconds });
    const failed = ceiling.trials.filter(({ verdict }) => verdict !== 'fits').length;
    console.log(
      [
        engine.padEnd(7),
        model.padEnd(7),
        String(ceiling.batchSize).padEnd(8),
        String(truth.batchSize).padEnd(8),
        percent(ceiling.batchSize / truth.batchSize).padEnd(8),
        ceiling.limitedBy.padEnd(14),
        String(ceiling.trials.length).padEnd(7),
        String(failed).padEnd(7),
        ceiling.trials.map(({ batchSize }) => batchSize).join(' '),
        truth.odd.length > 0 ? `(not monotonic at ${truth.odd.join(', ')} of the true ceiling)` : '',
      ].join(' '),
    );
  }
}
const errors = sorted(rows.flatMap((row) => row.errors.map(({ error }) => Math.abs(error))));
console.log(
  `Predicted against measured peak, ${errors.length} sizes: median ${percent(errors[Math.floor(errors.length / 2)])}, ` +
    `worst ${percent(errors.at(-1))}.`,
);
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
