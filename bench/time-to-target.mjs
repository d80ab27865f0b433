// How long until a model is trained, by fixed batch sizes and by policies; --help lists the options.
//
// For each task, engine, optimizer and seed: every contender from the same initial weights and order of examples, in a
// process of its own, to the same validation target. Contenders take turns within a seed, and which comes first goes
// round. Each finished run is a file; called again, only the missing ones are run.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { armsOf } from './time-to-target/arms.mjs';
import { codeDigest } from './time-to-target/code.mjs';
import { optionsOf, USAGE } from './time-to-target/options.mjs';
import { pageOf } from './time-to-target/page.mjs';
import { csvOf, summarise, textOf } from './time-to-target/summary.mjs';
import { missing, TASKS } from './time-to-target/tasks.mjs';

const WORKER = fileURLToPath(new URL('time-to-target/run.mjs', import.meta.url));

let options;
try {
  options = optionsOf(process.argv.slice(2));
} catch (error) {
  console.error(`${error.message}\nTry --help.`);
  process.exit(2);
}
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}

const runs = join(options.out, 'runs');
mkdirSync(runs, { recursive: true });
const failed = options.report ? 0 : await runAll(await specs());
report();
process.exitCode = failed > 0 ? 1 : 0;

/** Those that were named, or those that can be had; one line for each of the others. */
async function present(named, known, whyNot) {
  const found = [];
  for (const name of named ?? known) {
    const reason = await whyNot(name);
    if (reason === undefined) found.push(name);
    else console.log(`Left out: ${name}. ${reason}`);
  }
  return found;
}

async function engineMissing(name) {
  const entries = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
  try {
    await loadEngine(name, { nativePaths: entries.filter(Boolean) });
    return undefined;
  } catch (error) {
    return error.message;
  }
}

async function specs() {
  const tasks = await present(options.tasks, Object.keys(TASKS), missing);
  const engines = await present(options.engines, ['native', 'wasm'], engineMissing);
  const arms = armsOf(options);
  const cells = tasks.flatMap((task) =>
    engines.flatMap((engine) => options.optimizers.map((optimizer) => ({ task, engine, optimizer }))),
  );
  const rounds = options.seeds.flatMap((seed) => cells.map((cell) => ({ seed, ...cell })));
  return rounds.flatMap((cell) => {
    // Each cell begins with the next one from seed to seed, also where few of many seeds are asked for.
    const first = arms.length > 0 ? cell.seed % arms.length : 0;
    return [...arms.slice(first), ...arms.slice(0, first)].map((arm) => ({
      ...cell,
      arm,
      quick: options.quick,
    }));
  });
}

function fileOf({ task, engine, optimizer, seed, arm, quick }) {
  const name = [task, engine, optimizer, seed, ...arm.name.split(' ')].join('_');
  return join(runs, `${name}${quick ? '_quick' : ''}.json`);
}

async function runAll(all) {
  const todo = all.filter((spec) => !existsSync(fileOf(spec)));
  console.log(`${all.length} runs, ${all.length - todo.length} of them there already.`);
  let failures = 0;
  for (const [i, spec] of todo.entries()) {
    const { task, engine, optimizer, seed, arm } = spec;
    const started = performance.now();
    const status = await execute(spec);
    const took = `${((performance.now() - started) / 1000).toFixed(0)} s`;
    console.log(
      `${i + 1}/${todo.length} ${task} ${engine} ${optimizer} seed ${seed}, ${arm.name}: ${
        status === 0 ? outcome(spec) : `failed with code ${status}`
      } (${took})`,
    );
    if (status !== 0) failures += 1;
  }
  return failures;
}

// A function, which is there before the top of this module has run to its end.
function read(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function execute(spec) {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(spec), fileOf(spec)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
}

function outcome(spec) {
  const { secondsToTarget, lastBatchSize } = read(fileOf(spec));
  const reached =
    secondsToTarget === null ? 'target not reached' : `${secondsToTarget.toFixed(2)} s to the target`;
  return `${reached}, batch ${lastBatchSize}`;
}

/** A reader sees the old file or the new one. */
function write(name, content) {
  const path = join(options.out, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

function report() {
  const all = readdirSync(runs)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => read(join(runs, file)))
    .filter(({ quick }) => quick === options.quick);
  if (all.length === 0) return console.log('There are no runs to report on.');
  const code = codeDigest();
  const others = all.filter((run) => run.code !== code).length;
  if (others > 0)
    console.log(
      `${others} of ${all.length} runs in ${runs} ran other code than is built now; delete them to have them anew.`,
    );
  const cells = summarise(all);
  const results = { schema: 'batchwise.time-to-target-report/1', quick: options.quick, cells, runs: all };
  write('results.json', `${JSON.stringify(results)}\n`);
  write('results.csv', csvOf(all));
  write('index.html', pageOf(results));
  console.log(`\n${textOf(cells)}\n\nWritten to ${options.out}: results.json, results.csv, index.html.`);
}
