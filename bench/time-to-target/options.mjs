// The command line of the benchmark.
import { parseArgs } from 'node:util';
import { POLICIES, SIZES } from './arms.mjs';
import { TASKS } from './tasks.mjs';

export const USAGE = `How long until a model is trained: fixed batch sizes against the policies.

  npm run build && node bench/time-to-target.mjs [options]

  --tasks NAMES       ${Object.keys(TASKS).join(',')} (default: those whose data is there)
  --engines NAMES     native,wasm (default: those that load)
  --optimizers NAMES  sgd,momentum,adam
  --seeds N           1 to N (default 3), or a list such as 7,8 (7, for one alone)
  --policies NAMES    ${POLICIES.join(',')}; none for the sweep alone
  --sizes LIST        ${SIZES.join(',')}
  --scalings NAMES    scaled,unscaled
  --out DIR           where results go (default bench-results/time-to-target); finished runs there are not repeated
  --quick             small data and few epochs: shows that all works
  --report            no runs: write the report of those that are there

MNIST, CIFAR-10 and SST-2 are looked for in BATCHWISE_DATA_DIR (folders mnist, cifar10, sst2) and in the cache.`;

/** Each once; a comma at the end is none's. */
const list = (text) =>
  text === '' || text === 'none' ? [] : [...new Set(text.replace(/,$/, '').split(','))];

function among(values, known, option) {
  for (const value of values)
    if (!known.includes(value))
      throw new RangeError(`${option}: there is no ${value}; known are ${known.join(', ')}.`);
  return values;
}

function counts(values, option) {
  const numbers = values.map(Number);
  for (const [i, number] of numbers.entries())
    if (!Number.isInteger(number) || number < 1)
      throw new RangeError(`${option}: ${values[i]} is not a whole number above 0.`);
  return numbers;
}

/** @throws RangeError or TypeError with the option that is wrong */
export function optionsOf(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    args,
    options: {
      tasks: text,
      engines: text,
      optimizers: { ...text, default: 'sgd,momentum,adam' },
      seeds: { ...text, default: '3' },
      policies: { ...text, default: POLICIES.join(',') },
      sizes: { ...text, default: SIZES.join(',') },
      scalings: { ...text, default: 'scaled,unscaled' },
      out: { ...text, default: 'bench-results/time-to-target' },
      quick: flag,
      report: flag,
      help: flag,
    },
  });
  const seeds = counts(list(values.seeds), '--seeds');
  return {
    ...values,
    tasks: values.tasks && among(list(values.tasks), Object.keys(TASKS), '--tasks'),
    engines: values.engines && among(list(values.engines), ['native', 'wasm', 'cpu'], '--engines'),
    optimizers: among(list(values.optimizers), ['sgd', 'momentum', 'adam'], '--optimizers'),
    seeds: values.seeds.includes(',') ? seeds : Array.from({ length: seeds[0] ?? 0 }, (_, i) => i + 1),
    policies: among(list(values.policies), POLICIES, '--policies'),
    sizes: counts(list(values.sizes), '--sizes'),
    scalings: among(list(values.scalings), ['scaled', 'unscaled'], '--scalings'),
  };
}
