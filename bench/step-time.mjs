// What a step takes: the loop kernel by kernel, the loop with traced steps, and model.fit, on each engine that works; the
// same models in PyTorch beside it. Each engine and model has a process of its own, in which the arms take turns.
//   node bench/step-time.mjs [--engines cuda,native,webgpu,wasm,cpu] [--models mlp,cnn,lstm] [--batches 32,100,256,1024]
//                            [--repeats 9] [--python python3] [--json FILE]
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { argumentsOf } from './arguments.mjs';

const options = argumentsOf(import.meta.url, {
  engines: { type: 'string', default: 'native,wasm,cpu' },
  models: { type: 'string', default: 'mlp,cnn,lstm' },
  batches: { type: 'string', default: '32,100,256,1024' },
  repeats: { type: 'string', default: '9' },
  python: { type: 'string', default: 'python3' },
  json: { type: 'string' },
});
const wholeNumbers = (name) =>
  options[name].split(',').map((text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number > 0) return number;
    console.error(`--${name} has ${text}; give whole numbers above 0.`);
    process.exit(2);
  });
const [repeats] = wholeNumbers('repeats');
const batchSizes = wholeNumbers('batches');
const [engines, models] = [options.engines.split(','), options.models.split(',')];

/** What a program writes as its last line, as JSON; undefined where it fails. */
function answerOf(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((resolve) => {
    const failed = (why) => resolve({ failure: why.trim().split('\n').at(-1) });
    child.once('error', (error) => failed(error.message));
    child.once('close', (code) => {
      if (code !== 0) failed(stderr || `it ended with ${code}`);
      else resolve(JSON.parse(stdout.trim().split('\n').at(-1)));
    });
  });
}

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const cell = (times, digits = 2) =>
  times
    ? `${times.median.toFixed(digits)} (${times.low.toFixed(digits)} to ${times.high.toFixed(digits)})`
    : '';
const ROW = [
  'engine',
  'model',
  'batch',
  'model.fit',
  'loop, eager',
  'loop, traced',
  'from bytes',
  'traced / fit',
  'PyTorch',
];
const WIDTHS = [7, 6, 6, 24, 24, 24, 24, 22, 20];
const line = (cells) => cells.map((text, i) => String(text).padEnd(WIDTHS[i])).join(' ');

console.log(
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}, load ${loadavg()[0].toFixed(1)}; Adam, ${repeats} turns per arm`,
);
const torch = await answerOf(options.python, [
  here('step-time-torch.py'),
  options.models,
  options.batches,
  String(repeats),
]);
console.log(torch.failure ? `PyTorch was not measured: ${torch.failure}` : `PyTorch ${torch.version}`);
console.log('Milliseconds per step: medians, with the middle half of the turns in brackets.');
console.log(line(ROW));
const reports = [];
for (const engine of engines)
  for (const model of models) {
    const request = JSON.stringify({ engine, model, batchSizes, repeats });
    const report = await answerOf(process.execPath, [here('step-time-engine.mjs'), request]);
    reports.push({ engine, model, ...report });
    if (report.failure) console.log(`${engine} ${model}: ${report.failure}`);
    for (const { batchSize, milliseconds, ratios } of report.results ?? []) {
      const { fit, eager, traced, eagerBytes, tracedBytes } = milliseconds;
      const python = torch.rows?.find((row) => row.model === model && row.batchSize === batchSize);
      const times = [fit, eager, traced, tracedBytes ?? eagerBytes].map((it) => cell(it));
      const ratio = cell(ratios.traced ?? ratios.eager);
      console.log(line([engine, model, batchSize, ...times, ratio, cell(python)]));
    }
  }
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ node: process.version, processor: cpus()[0]?.model, repeats, torch, reports }, null, 2)}\n`,
  );
