// What the settings of native TensorFlow do to a step of the loop, each in processes of its own that take turns; what the
// plain matrix product saves; and what the first steps of a size cost.
//   node bench/engine-settings.mjs [--models mlp,cnn,lstm] [--batches 32,128,1024] [--rounds 5] [--settings stock,...]
//                                  [--only settings,products,first] [--json FILE]
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { argumentsOf } from './arguments.mjs';

/** By name: what the environment says to TensorFlow. 0 is TensorFlow's own choice, as many threads as cores. */
const STOCK = { TF_NUM_INTEROP_THREADS: '0', TF_NUM_INTRAOP_THREADS: '0', TF_ENABLE_ONEDNN_OPTS: '1' };
const CALLER = { ...STOCK, TF_NUM_INTEROP_THREADS: '-1' };
const SETTINGS = {
  stock: STOCK,
  'in the caller': CALLER,
  'no oneDNN': { ...STOCK, TF_ENABLE_ONEDNN_OPTS: '0' },
  'caller, no oneDNN': { ...CALLER, TF_ENABLE_ONEDNN_OPTS: '0' },
  'caller, one thread': { ...CALLER, TF_NUM_INTRAOP_THREADS: '1' },
  'caller, no oneDNN, one thread': {
    ...CALLER,
    TF_ENABLE_ONEDNN_OPTS: '0',
    TF_NUM_INTRAOP_THREADS: '1',
  },
  'caller, no oneDNN, pooled memory': {
    ...CALLER,
    TF_ENABLE_ONEDNN_OPTS: '0',
    TF_CPU_ALLOCATOR_USE_BFC: '1',
  },
};

const options = argumentsOf(import.meta.url, {
  models: { type: 'string', default: 'mlp,cnn,lstm' },
  batches: { type: 'string', default: '32,128,1024' },
  rounds: { type: 'string', default: '5' },
  settings: { type: 'string', default: Object.keys(SETTINGS).join(';') },
  only: { type: 'string', default: 'settings,products,first' },
  json: { type: 'string' },
});
const rounds = Number(options.rounds);
const batchSizes = options.batches.split(',').map(Number);
const models = options.models.split(',');
const names = options.settings.split(';');
const unknown = names.find((name) => !(name in SETTINGS));
if (unknown !== undefined || !(rounds > 0) || batchSizes.some((size) => !(size > 0))) {
  console.error(`Settings are ${Object.keys(SETTINGS).join(';')}; sizes and rounds are above 0.`);
  process.exit(2);
}

/** What a program writes as its last line, as JSON. */
function answerOf(file, request, env) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), request], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve(JSON.parse(stdout.trim().split('\n').at(-1)))
        : reject(new Error(`${file} ended with ${code}:\n${stderr}`)),
    );
  });
}

function summary(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share) => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return low + (high - low) * (place - Math.floor(place));
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}
const cell = ({ median, low, high }) => `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

/** Medians over the rounds, and the ratio to stock settings within a round. */
async function settingsOf(model) {
  const found = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (let k = 0; k < names.length; k += 1) {
      const name = names[(round + k) % names.length];
      const request = { engine: 'native', model, batchSizes, repeats: 3, arms: ['traced'] };
      const { results } = await answerOf('step-time-engine.mjs', JSON.stringify(request), SETTINGS[name]);
      found[name].push(results.map(({ milliseconds }) => milliseconds));
    }
  return batchSizes.flatMap((batchSize, i) =>
    names.map((name) => {
      const times = (arm) => found[name].map((results) => results[i][arm].median);
      const first = found[names[0]].map((results) => results[i].traced.median);
      const ratios = times('traced').map((time, round) => time / first[round]);
      return {
        model,
        batchSize,
        name,
        traced: summary(times('traced')),
        ratio: summary(ratios),
      };
    }),
  );
}

console.log(
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}, load ${loadavg()[0].toFixed(1)}; ${rounds} rounds`,
);
const only = options.only.split(',');
const report = { node: process.version, processor: cpus()[0]?.model, rounds, settings: [] };
if (only.includes('settings')) {
  console.log(`ms per step, medians with the middle half of the rounds; ratio to "${names[0]}" of the round`);
  for (const model of models)
    for (const row of await settingsOf(model)) {
      report.settings.push(row);
      const { batchSize, name, traced, ratio } = row;
      const cells = [model, String(batchSize).padEnd(5), name.padEnd(34)];
      console.log([...cells, ...[traced, ratio].map((times) => cell(times).padEnd(24))].join(' '));
    }
}
for (const part of ['products', 'first'].filter((name) => only.includes(name))) {
  report[part] = await answerOf(
    'engine-settings-parts.mjs',
    JSON.stringify({ part, models, batchSizes }),
    {},
  );
  console.log(part);
  console.table(report[part]);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
