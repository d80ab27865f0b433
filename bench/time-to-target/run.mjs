// One run in a process of its own, so that none is warmer than another:
//   node bench/time-to-target/run.mjs SPEC FILE
// SPEC is JSON as time-to-target.mjs writes it; the result is written to FILE, whole or not at all.
import { rename, writeFile } from 'node:fs/promises';
import { tfjsBackend } from '@batchwise/backend';
import { loadEngine } from '@batchwise/backend/node';
import { train } from '@batchwise/core';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { controllerOf, REFERENCE } from './arms.mjs';
import { codeDigest } from './code.mjs';
import { learningRateOf, TASKS } from './tasks.mjs';

const [specText = '', file = ''] = process.argv.slice(2);
const spec = JSON.parse(specText);
// What runs now, whatever is built meanwhile.
const code = codeDigest();
const task = TASKS[spec.task];
const size = spec.quick ? task.quick : task;
const target = size.target;

const native = ['gpu', 'cpu'].map((variant) => nativeLocation(cacheDirectory(), variant)?.entry);
const engine = await loadEngine(spec.engine, { nativePaths: native.filter(Boolean) });
const { tf } = engine;
const data = await task.load({
  examples: task.quick.examples && spec.quick ? task.quick.examples : undefined,
});
const makers = {
  sgd: (rate) => tf.train.sgd(rate),
  momentum: (rate) => tf.train.momentum(rate, 0.9),
  adam: (rate) => tf.train.adam(rate),
};
const model = data.model(tf, spec.seed);
const optimizer = makers[spec.optimizer](learningRateOf(size, spec.optimizer));
model.compile({ optimizer, loss: data.loss, metrics: data.metrics });
const source = data.train(spec.seed);

const points = [];
const sizes = new Map();
const plans = [];
const stop = { aborted: false };
let [started, evaluationSeconds, reachedBefore, finished] = [0, 0, false, undefined];
const seconds = () => performance.now() / 1000 - started;
/** A target counts once it is reached twice running; the time is that of the first. */
const watch = {
  name: 'time to target',
  onRunStarted({ plan, reason }) {
    plans.push({ examples: 0, batchSize: plan.batchSize, reason: reason.text });
  },
  onStepFinished: ({ outcome: { plan, examples } }) =>
    void sizes.set(plan.batchSize, (sizes.get(plan.batchSize) ?? 0) + examples),
  onPlanChanged: ({ examples, to, reason }) =>
    void plans.push({ examples, batchSize: to.batchSize, reason: reason.text }),
  onValidated({ examples, step, result, seconds: evaluated }) {
    evaluationSeconds += evaluated;
    const value = { ...result.metrics, loss: result.loss }[target.metric];
    points.push({ examples, step, seconds: seconds() - evaluationSeconds, value });
    const reached = target.direction === 'atLeast' ? value >= target.value : value <= target.value;
    stop.aborted = reached && reachedBefore;
    reachedBefore = reached;
  },
  onRunFinished: (event) => void (finished = event),
};

const backend = tfjsBackend(tf, model);
const controller = controllerOf(spec.arm, { optimizer: spec.optimizer, epochExamples: source.size });
let failure;
// From here on, since a controller that puts weights back has a copy made before the run starts.
started = performance.now() / 1000;
try {
  await train({
    backend,
    source,
    controller,
    stop: { epochs: size.maxEpochs },
    validation: {
      source: data.validation(),
      everyExamples: Math.max(REFERENCE, Math.round(source.size / 10)),
    },
    observers: [watch],
    seed: spec.seed,
    signal: stop,
  });
} catch (error) {
  // Diverging is a result; a run that could not begin is none.
  if (!finished || !['nonFinite', 'outOfMemory'].includes(error?.code)) throw error;
  failure = error.message;
}

const first = stop.aborted ? points.at(-2) : undefined;
const total = [...sizes.values()].reduce((sum, examples) => sum + examples, 0);
const mean = Math.exp(
  [...sizes].reduce((sum, [size, examples]) => sum + (examples * Math.log(size)) / total, 0),
);
const result = {
  schema: 'batchwise.time-to-target/1',
  ...spec,
  target,
  learningRate: learningRateOf(size, spec.optimizer),
  engineVersion: engine.version,
  device: engine.device,
  node: process.version,
  code,
  reached: first !== undefined,
  secondsToTarget: first?.seconds ?? null,
  examplesToTarget: first?.examples ?? null,
  stepsToTarget: first?.step ?? null,
  steps: finished.step,
  examples: finished.examples,
  totals: finished.totals,
  lastBatchSize: plans.at(-1)?.batchSize ?? null,
  meanBatchSize: total > 0 ? mean : null,
  failure: failure ?? null,
  plans,
  points: points.map((point) => ({ ...point, value: Number.isFinite(point.value) ? point.value : null })),
};
await writeFile(`${file}.new`, `${JSON.stringify(result)}\n`);
await rename(`${file}.new`, file);
