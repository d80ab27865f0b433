// From single runs to the table: who won the sweep, and how far each policy is from it.
import { seededRandom } from '@batchwise/sampler';

const RESAMPLES = 2000;

const sorted = (values) => [...values].sort((a, b) => a - b);

export function quantile(values, share) {
  const order = sorted(values);
  const at = share * (order.length - 1);
  const [low, high] = [order[Math.floor(at)], order[Math.ceil(at)]];
  return low === high ? low : low + (high - low) * (at - Math.floor(at));
}

const median = (values) => quantile(values, 0.5);

/** A target that was not reached took longer than anything. */
const time = ({ secondsToTarget }) => secondsToTarget ?? Infinity;

const finite = (value) => (Number.isFinite(value) ? value : null);

const cellName = ({ task, engine, optimizer }) => `${task} / ${engine} / ${optimizer}`;

function grouped(items, nameOf) {
  const groups = new Map();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

/** One entry for each task, engine and optimizer. */
export function summarise(runs) {
  return [...grouped(runs, cellName)].map(([name, cell]) => {
    const { task, engine, optimizer, target, device } = cell[0];
    const arms = [...grouped(cell, ({ arm }) => arm.name).values()].map(armSummary);
    const winners = Object.fromEntries(
      ['scaled', 'unscaled'].map((scaling) => [scaling, winnerOf(cell, scaling)]),
    );
    const policies = arms
      .filter(({ kind }) => kind === 'policy')
      .map((arm) => ({ ...arm, versusScaled: ratios(cell, arm.name, winners.scaled) }));
    return { name, task, engine, optimizer, target, device, arms, winners, policies };
  });
}

function armSummary(runs) {
  const { arm } = runs[0];
  const times = runs.map(time);
  return {
    name: arm.name,
    kind: arm.kind,
    seeds: runs.length,
    reached: runs.filter(({ reached }) => reached).length,
    medianSeconds: finite(median(times)),
    lowSeconds: finite(quantile(times, 0.25)),
    highSeconds: finite(quantile(times, 0.75)),
    batchSizes: sorted(runs.map(({ lastBatchSize }) => lastBatchSize)),
    meanBatchSize: median(runs.map(({ meanBatchSize }) => meanBatchSize)),
    steps: median(runs.map(({ steps }) => steps)),
    tuningShare: median(
      runs.map(({ totals }) => totals.tuningSeconds / (totals.trainingSeconds + totals.tuningSeconds)),
    ),
    failures: runs.filter(({ failure }) => failure !== null).length,
  };
}

/**
 * The seeds on which the winner of a sweep is picked: the first half. Ratios are taken on the others, since the best of
 * nine is lucky on the seeds that made it the best. With one seed it is the same one, which favours the sweep.
 */
export function splitSeeds(runs) {
  const seeds = sorted(new Set(runs.map(({ seed }) => seed)));
  const half = Math.ceil(seeds.length / 2);
  return { picked: seeds.slice(0, half), fresh: seeds.length > 1 ? seeds.slice(half) : seeds };
}

function winnerOf(cell, scaling) {
  const { picked } = splitSeeds(cell);
  const sweep = cell.filter(({ arm, seed }) => arm.scaling === scaling && picked.includes(seed));
  const medians = [...grouped(sweep, ({ arm }) => arm.name)].map(([name, runs]) => ({
    name,
    seconds: median(runs.map(time)),
  }));
  const best = medians.reduce((least, one) => (one.seconds < least.seconds ? one : least), {
    seconds: Infinity,
  });
  return best.name ?? null;
}

/**
 * Time of the policy over that of the winner, seed by seed where both got there, with a bootstrap interval of their geometric
 * mean; and on how many seeds only the winner did.
 */
function ratios(cell, policy, winner) {
  if (winner === null) return null;
  const { fresh } = splitSeeds(cell);
  const of = (name, seed) => cell.find((run) => run.arm.name === name && run.seed === seed);
  const pairs = fresh.map((seed) => [of(policy, seed), of(winner, seed)]).filter(([a, b]) => a && b);
  const logs = pairs.map(([own, other]) => Math.log(time(own) / time(other))).filter(Number.isFinite);
  const lost = pairs.filter(([own, other]) => !own.reached && other.reached).length;
  const seeds = logs.length;
  if (seeds === 0) return { winner, seeds, lost, ratio: null, low: null, high: null };
  const random = seededRandom(1);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(logs.map(() => logs[random.below(logs.length)])),
  );
  const [low, high] = [0.025, 0.975].map((share) => Math.exp(quantile(means, share)));
  return { winner, seeds, lost, ratio: Math.exp(mean(logs)), low, high };
}

const COLUMNS = [
  'task',
  'engine',
  'optimizer',
  'seed',
  'arm',
  'reached',
  'secondsToTarget',
  'examplesToTarget',
  'stepsToTarget',
  'steps',
  'examples',
  'lastBatchSize',
  'meanBatchSize',
  'trainingSeconds',
  'tuningSeconds',
  'evaluationSeconds',
  'failure',
];

/** One line for each run; texts are quoted. */
export function csvOf(runs) {
  const cell = (value) =>
    typeof value === 'string' ? `"${value.replaceAll('"', '""')}"` : value === null ? '' : String(value);
  const line = (run) => {
    const flat = { ...run, ...run.totals, arm: run.arm.name };
    return COLUMNS.map((column) => cell(flat[column] ?? null)).join(',');
  };
  return `${[COLUMNS.join(','), ...runs.map(line)].join('\n')}\n`;
}

const seconds = (value) => (value === null ? 'never' : `${value.toPrecision(3)} s`);

const neverOf = ({ lost }) => (lost > 0 ? `, and ${lost} on which it never got there` : '');

/** The table for a terminal. */
export function textOf(cells) {
  return cells
    .map(({ name, target, arms, winners, policies }) => {
      const lines = arms.map(
        ({ name: arm, reached, seeds, medianSeconds, lowSeconds, highSeconds, meanBatchSize, tuningShare }) =>
          `  ${arm.padEnd(16)}${seconds(medianSeconds).padEnd(10)} (${seconds(lowSeconds)} to ${seconds(highSeconds)})` +
          `  ${reached}/${seeds} reached, batch ${Math.round(meanBatchSize)}, tuning ${(100 * tuningShare).toFixed(1)} %`,
      );
      const against = policies.map(({ name: policy, versusScaled }) =>
        versusScaled?.ratio
          ? `  ${policy} / ${versusScaled.winner}: ${versusScaled.ratio.toFixed(2)} ` +
            `(${versusScaled.low.toFixed(2)} to ${versusScaled.high.toFixed(2)}, ${versusScaled.seeds} seeds)${neverOf(versusScaled)}`
          : `  ${policy}: no ratio${versusScaled ? neverOf(versusScaled) : ''}`,
      );
      const heading = `${name}, ${target.metric} ${target.direction === 'atLeast' ? '≥' : '≤'} ${target.value}`;
      return [heading, ...lines, `  sweep winners: ${winners.scaled}, ${winners.unscaled}`, ...against].join(
        '\n',
      );
    })
    .join('\n\n');
}
