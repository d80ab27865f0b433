// Draws per second of the samplers, in turns with PyTorch and numpy where Python has them, one thread each.
//   node bench/samplers.mjs [--python PATH] [--sizes 1e4,1e6,1e7] [--repeats 7] [--json FILE]
// A draw here is an index in the caller's array; PyTorch's is one in a tensor, before its samplers make Python lists.
// Seconds are of processor time, V8's helper threads included: a busy machine changes them less than wall time. With --heap,
// as it calls itself, it counts bytes in place of draws.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { seededRandom, shuffled } from '@batchwise/sampler';
import {
  adjustable,
  lossProportional,
  SumTree,
  weighted,
  weightedWithoutReplacement,
} from '@batchwise/sampler-weighted';
import { argumentsOf } from './arguments.mjs';

const options = argumentsOf(import.meta.url, {
  python: { type: 'string', default: 'python3' },
  sizes: { type: 'string', default: '1e4,1e6,1e7' },
  repeats: { type: 'string', default: '7' },
  json: { type: 'string' },
  heap: { type: 'boolean', default: false },
});
const sizes = options.sizes.split(',').map(Number);
const repeats = Number(options.repeats);
if (!Number.isInteger(repeats) || repeats < 1 || !sizes.every((n) => Number.isInteger(n) && n > 0)) {
  console.error(`--repeats is ${options.repeats} and --sizes ${options.sizes}; give whole numbers above 0.`);
  process.exit(2);
}

/** Draws of one timed turn: enough to time, and an epoch of the larger sizes. */
const drawsOf = (n) => n * Math.max(1, Math.round(4e6 / n));
const weightsOf = (n) => {
  const random = seededRandom(n);
  return Float64Array.from({ length: n }, () => 0.01 + random.uniform());
};

const PYTHON = `
import sys, time
try:
    import numpy as np
    rng = np.random.default_rng(1)
except ImportError:
    np = None
try:
    import torch
    torch.set_num_threads(1)
except Exception as error:
    if not isinstance(error, ImportError): print(f"PyTorch does not load: {error}", file=sys.stderr)
    torch = None
print(" ".join(["Python", sys.version.split()[0]] + [f"{m.__name__} {m.__version__}" for m in (torch, np) if m]), flush=True)
weights = {}
def arm(name, n, draws):
    if n not in weights and torch: weights[n] = torch.rand(n, dtype=torch.float64) + 0.01
    if n not in weights: weights[n] = rng.random(n) + 0.01
    w = weights[n]
    if name == "torch weighted" and torch: return lambda: torch.multinomial(w, draws, True)
    if name == "torch shuffled" and torch: return lambda: [torch.randperm(n) for _ in range(draws // n)]
    if name == "numpy weighted" and np: p = np.asarray(w / w.sum()); return lambda: rng.choice(n, draws, p=p)
    if name == "numpy shuffled" and np: return lambda: [rng.permutation(n) for _ in range(draws // n)]
for line in sys.stdin:
    name, n, draws = line.rstrip().split(",")
    run = arm(name, int(n), int(draws)) if torch or np else None
    start = time.process_time()
    if run: run()
    print(time.process_time() - start if run else -1, flush=True)
`;

/** Asks Python to time one of its arms; undefined where there is no such library. */
function startPython(path) {
  if (spawnSync(path, ['-c', '']).status !== 0) return undefined;
  const child = spawn(path, ['-c', PYTHON], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => (await lines.next()).value;
  return {
    version: answer(),
    async rate(name, n) {
      // numpy would take ten seconds for ten million of these.
      const draws = name === 'numpy weighted' ? 1e6 : drawsOf(n);
      child.stdin.write(`${name},${n},${draws}\n`);
      const seconds = Number(await answer());
      return seconds < 0 ? undefined : draws / seconds / 1e6;
    },
    end: () => child.stdin.end(),
  };
}

/** Reads epochs of a sampler, whole ones or in batches, until so many draws were made; answers how many it were. */
function drain(sampler, { draws, batch = sampler.size, each = () => {} }) {
  let drawn = 0;
  for (let epoch = 0; drawn < draws; epoch++) {
    const cursor = sampler.epoch(epoch);
    for (let indices = cursor.take(batch); indices.length > 0; indices = cursor.take(batch)) {
      drawn += indices.length;
      each(indices, cursor);
      if (drawn >= draws) break;
    }
  }
  return drawn;
}

/** A number for each example of a batch, from a long list that is gone through again and again. */
function pick(numbers) {
  let from = 0;
  return (count) => {
    if (from + count > numbers.length) from = 0;
    return numbers.subarray(from, (from += count));
  };
}

/** What is timed for a size, by name; each answers how many draws it made. */
function armsOf(n) {
  const weights = weightsOf(n);
  const draws = drawsOf(n);
  const random = seededRandom(2);
  const positions = Int32Array.from({ length: 1e6 }, () => random.below(n));
  const uniforms = Float64Array.from({ length: 1e6 }, random.uniform);
  const alias = weighted(weights, { seed: 1 });
  const exact = shuffled(n, { seed: 1 });
  const feistel = shuffled(n, { seed: 1, order: 'feistel' });
  const tree = new SumTree(weights);
  const hundredth = weightedWithoutReplacement(weights, { seed: 1, size: n / 100 });
  const losses = pick(uniforms);
  // Its trees and lists would take 0.4 GB of ten million examples.
  const byLoss = lossProportional(Math.min(n, 1e6), { seed: 1 });
  const learn = (indices, { weights: importance }) => {
    if (importance.length === indices.length) byLoss.observe(indices, losses(indices.length));
  };
  return {
    weighted: () => drain(alias, { draws }),
    'weighted, batches of 128': () => drain(alias, { draws: 1e6, batch: 128 }),
    shuffled: () => drain(exact, { draws }),
    'shuffled, feistel': () => drain(feistel, { draws: 1e6, batch: 1e4 }),
    'sum tree, change and draw'() {
      positions.forEach((position, k) => {
        tree.set(position, uniforms[k]);
        tree.find(uniforms[k] * tree.total);
      });
      return positions.length;
    },
    'without replacement, 1 of 100': () => drain(hundredth, { draws: n / 100 }),
    ...(n <= 1e6 && {
      'lossProportional: draw, weigh, observe': () => drain(byLoss, { draws: 2e5, batch: 128, each: learn }),
    }),
  };
}

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

/** Bytes that a draw leaves on the heap, in a process whose young generation is too large to be collected meanwhile. */
function measureHeap() {
  const rows = {};
  const n = 1e6;
  const changing = adjustable(weightsOf(n), { seed: 1 });
  const learning = lossProportional(n, { seed: 1 });
  const losses = pick(Float64Array.from({ length: n }, seededRandom(2).uniform));
  const arms = {
    weighted: [weighted(weightsOf(n), { seed: 1 })],
    'weighted, with importance weights': [weighted(weightsOf(n), { seed: 1, beta: 1 })],
    'adjustable, each weight drawn changed': [
      changing,
      (indices) => indices.forEach((index, k) => changing.setWeight(index, 1 + (k % 3))),
    ],
    'lossProportional, weighed and told its losses': [
      learning,
      (indices) => learning.observe(indices, losses(indices.length)),
    ],
    shuffled: [shuffled(n, { seed: 1 })],
    'shuffled, feistel': [shuffled(n, { seed: 1, order: 'feistel' })],
    'without replacement': [weightedWithoutReplacement(weightsOf(n), { seed: 1 })],
  };
  for (const [name, [sampler, each]] of Object.entries(arms)) {
    for (const batch of [128, 4096]) {
      for (let warm = 0; warm < 3; warm++) drain(sampler, { draws: 1e6, batch, each });
      globalThis.gc();
      const before = process.memoryUsage().heapUsed;
      drain(sampler, { draws: 1e6, batch, each });
      rows[`${name}, batches of ${batch}`] = (process.memoryUsage().heapUsed - before) / 1e6;
    }
  }
  console.log(JSON.stringify(rows));
}
if (options.heap) {
  measureHeap();
  process.exit();
}

const python = startPython(options.python);
console.log(`Node ${process.version}, ${cpus().length} cores, ${(await python?.version) ?? 'no Python'}`);
console.log(`Million draws per second of processor time, medians of ${repeats} turns; the arms take turns.`);
const results = [];
for (const n of sizes) {
  const all = Object.entries(armsOf(n)).map(([name, run]) => ({
    name,
    rate() {
      const started = process.cpuUsage();
      const draws = run();
      const { user, system } = process.cpuUsage(started);
      return draws / (user + system);
    },
  }));
  const theirs = ['torch weighted', 'torch shuffled', 'numpy weighted', 'numpy shuffled'];
  if (python) all.push(...theirs.map((name) => ({ name, rate: () => python.rate(name, n) })));
  const rates = new Map(all.map(({ name }) => [name, []]));
  for (const { rate } of all) await rate();
  for (let repeat = 0; repeat < repeats; repeat++)
    for (let k = 0; k < all.length; k++) {
      const { name, rate } = all[(repeat + k) % all.length];
      const measured = await rate();
      if (measured !== undefined) rates.get(name).push(measured);
    }
  console.log(`\nn = ${n}`);
  const ratio = (own, other) => {
    const [a, b] = [rates.get(own) ?? [], rates.get(other) ?? []];
    return b.length === 0 ? undefined : median(a.map((rate, k) => rate / b[k]));
  };
  for (const { name } of all) {
    if (rates.get(name).length === 0) continue;
    const against = ['torch', 'numpy'].map((library) => [library, ratio(name, `${library} ${name}`)]);
    const text = against
      .filter(([, value]) => value)
      .map(([library, value]) => `${value.toFixed(1)} x ${library}`);
    console.log(`  ${name.padEnd(48)}${median(rates.get(name)).toFixed(2).padStart(9)}   ${text.join(', ')}`);
    results.push({ n, name, millionPerSecond: median(rates.get(name)), ...Object.fromEntries(against) });
  }
}
python?.end();

const flags = ['--expose-gc', '--min-semi-space-size=512', '--max-semi-space-size=512'];
const heap = spawnSync(process.execPath, [...flags, fileURLToPath(import.meta.url), '--heap'], {
  encoding: 'utf8',
});
const bytes = JSON.parse(heap.stdout);
console.log(
  '\nBytes on the heap per draw, n = 1000000 (an array object per batch and its view; 4 bytes of data are outside)',
);
for (const [name, value] of Object.entries(bytes))
  console.log(`  ${name.padEnd(48)}${value.toFixed(3).padStart(9)}`);
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ node: process.version, repeats, results, heapBytesPerDraw: bytes }, null, 2)}\n`,
  );
