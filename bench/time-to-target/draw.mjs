// Draws the report; page.mjs writes this file into the page, after Plot and beside the JSON that it reads.
/* global document, Plot */
const { cells, runs } = JSON.parse(document.getElementById('report').textContent);
const main = document.querySelector('main');

const said = (value) => (value === null ? 'never' : `${value.toPrecision(3)} s`);
const isPolicy = ({ arm }) => arm.kind === 'policy';

function add(tag, text = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  main.append(element);
  return element;
}

const figure = (options) =>
  add('figure').append(Plot.plot({ color: { type: 'categorical', legend: true }, ...options }));

function timesBySize(own) {
  if (!own.some(({ reached }) => reached)) return add('p', 'No run reached the target.');
  figure({
    title: 'Time to target by batch size; lines for the policies',
    x: { type: 'log', base: 2, label: 'batch size' },
    y: { type: 'log', label: 'seconds to target' },
    marks: [
      Plot.ruleY(
        own.filter((run) => isPolicy(run) && run.reached),
        { y: 'secondsToTarget', stroke: (run) => run.arm.name, strokeOpacity: 0.7 },
      ),
      Plot.dot(
        own.filter((run) => !isPolicy(run) && run.reached),
        { x: (run) => run.arm.batchSize, y: 'secondsToTarget', stroke: (run) => run.arm.scaling, tip: true },
      ),
    ],
  });
}

function curves(shown, { metric, value }) {
  const points = shown.flatMap(({ arm, seed, points: own }) =>
    own.map((point) => ({ ...point, arm: arm.name, run: `${arm.name} ${seed}` })),
  );
  figure({
    title: `${metric} over training time; the policies and the winner of the sweep`,
    x: { label: 'seconds' },
    y: { label: metric },
    marks: [
      Plot.ruleY([value], { strokeDasharray: '4 3' }),
      Plot.lineY(points, { x: 'seconds', y: 'value', z: 'run', stroke: 'arm', tip: true }),
    ],
  });
}

function batchSizes(shown) {
  const plans = shown.filter(isPolicy).flatMap(({ arm, seed, plans: own, examples }) =>
    [...own, { ...own.at(-1), examples }].map((plan) => ({
      ...plan,
      arm: arm.name,
      run: `${arm.name} ${seed}`,
    })),
  );
  figure({
    title: 'Batch size over the examples',
    x: { label: 'examples' },
    y: { type: 'log', base: 2, label: 'batch size' },
    marks: [
      Plot.lineY(plans, { x: 'examples', y: 'batchSize', z: 'run', stroke: 'arm', curve: 'step-after' }),
    ],
  });
}

function row(table, values, tag = 'td') {
  const line = document.createElement('tr');
  for (const value of values) {
    const field = document.createElement(tag);
    field.textContent = value;
    line.append(field);
  }
  table.append(line);
}

function table(cell) {
  const lines = add('table');
  row(lines, ['', 'median', 'middle half', 'reached', 'batch', 'steps', 'tuning', 'over the winner'], 'th');
  for (const arm of cell.arms) {
    const versus = cell.policies.find(({ name }) => name === arm.name)?.versusScaled;
    row(lines, [
      arm.name === cell.winners.scaled ? `${arm.name} (winner)` : arm.name,
      said(arm.medianSeconds),
      `${said(arm.lowSeconds)} to ${said(arm.highSeconds)}`,
      `${arm.reached} of ${arm.seeds}`,
      Math.round(arm.meanBatchSize),
      Math.round(arm.steps),
      `${(100 * arm.tuningShare).toFixed(1)} %`,
      versus?.ratio
        ? `${versus.ratio.toFixed(2)} (${versus.low.toFixed(2)} to ${versus.high.toFixed(2)}), ${versus.seeds} seeds` +
          (versus.lost > 0 ? `, not reached on ${versus.lost}` : '')
        : '',
    ]);
  }
}

for (const cell of cells) {
  const own = runs.filter(
    ({ task, engine, optimizer }) =>
      task === cell.task && engine === cell.engine && optimizer === cell.optimizer,
  );
  const shown = own.filter((run) => isPolicy(run) || run.arm.name === cell.winners.scaled);
  add('h2', cell.name);
  timesBySize(own);
  curves(shown, cell.target);
  batchSizes(shown);
  table(cell);
}
