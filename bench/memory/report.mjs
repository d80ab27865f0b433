// What bench/memory.mjs prints.

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

const range = (numbers, text = String) => {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? text(least) : `${text(least)} to ${text(most)}`;
};

/** A step that ran and took more than its budget is not out of memory. */
const isTooBig = ({ verdict }) => verdict === 'tooBig';

const worst = (errors) =>
  errors.length === 0 ? '-' : percent(Math.max(...errors.map(({ error }) => Math.abs(error))));

/** One engine and model: all its searches, and the truth. */
export function rowLine({ engine, model, searches, truth, between }) {
  const ceilings = searches.map(({ ceiling }) => ceiling);
  const cells = [
    [engine, 10],
    [model, 6],
    [
      range(
        ceilings.map(({ batchSize }) => batchSize),
        String,
      ),
      15,
    ],
    [String(truth.batchSize), 6],
    [
      range(
        ceilings.map(({ batchSize }) => batchSize / truth.batchSize),
        percent,
      ),
      16,
    ],
    [range(ceilings.map(({ trials }) => trials.length)), 7],
    [range(ceilings.map(({ trials }) => trials.filter(isTooBig).length)), 8],
    [worst(searches.flatMap(({ expected }) => expected)), 9],
    [worst(between), 8],
    [truth.odd.length > 0 ? `not monotonic at ${truth.odd.join(', ')} of the truth` : '', 0],
  ];
  return cells.map(([text, width]) => text.padEnd(width)).join(' ');
}

/** Over all searches. */
export function totalsOf(rows) {
  const all = rows.flatMap(({ searches, truth }) => searches.map((each) => ({ ...each, truth })));
  const count = (is) => all.filter(is).length;
  return {
    searches: all.length,
    within: count(({ ceiling, truth }) => ceiling.batchSize >= 0.95 * truth.batchSize),
    clean: count(({ ceiling }) => !ceiling.trials.some(isTooBig)),
    trialsAtMost: Math.max(...all.map(({ ceiling }) => ceiling.trials.length)),
    failedAgain: count(({ trainsAgain }) => !trainsAgain),
  };
}

/** Median and worst of some errors, of either sign. */
export function errorsLine(what, errors) {
  const sizes = errors.map(({ error }) => Math.abs(error)).sort((a, b) => a - b);
  if (sizes.length === 0) return `${what}: nothing to compare.`;
  return `${what}: off by ${percent(sizes[Math.floor(sizes.length / 2)])} in the median of ${sizes.length}, ${percent(sizes.at(-1))} at worst.`;
}
