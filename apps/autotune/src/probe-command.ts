import { tfjsBackend } from '@batchwise/backend';
import { cacheDirectory, imageSource, type SplitDataset } from '@batchwise/data';
import { prepareDestinations, writeJson } from './destinations.ts';
import { count, row } from './format.ts';
import { watchInterrupt } from './interrupt.ts';
import { loadData } from './load-data.ts';
import { budgetOf } from './memory/budget.ts';
import { CeilingStore, ceilingKey } from './memory/ceiling-store.ts';
import { deviceMemory } from './memory/device-memory.ts';
import { keepCeiling } from './memory/run-ceiling.ts';
import { searchCeiling } from './memory/search.ts';
import { makeModel } from './models.ts';
import { loadInstalledEngine } from './native-engine.ts';
import { makeOptimizer } from './optimizers.ts';
import type { ProbeOptions } from './probe-options.ts';
import { budgetLine, ceilingText, trialHeadings, trialLine } from './probe-view.ts';

const print = (line: string): void => console.log(line);

/** `batchwise probe`: the largest batch that fits, found by training. */
export async function runProbe(options: ProbeOptions): Promise<void> {
  const { json } = options;
  await prepareDestinations(json === undefined ? {} : { json });
  const interrupt = watchInterrupt();
  const { signal } = interrupt;
  try {
    const data = await loadData(options, { signal, print, live: process.stdout.isTTY });
    signal.throwIfAborted();
    await probe(data, { options, signal });
  } catch (error) {
    if (error !== signal.reason) throw error;
    print('Interrupted.');
  } finally {
    interrupt.close();
  }
  if (signal.aborted) process.exitCode = 130;
}

interface Job {
  readonly options: ProbeOptions;
  readonly signal: AbortSignal;
}

async function probe(data: SplitDataset, { options, signal }: Job): Promise<void> {
  const { imageShape, classes, train: examples, name: dataset } = data;
  const name = options.model ?? (dataset === 'cifar10' ? 'cnn' : 'mlp');
  const engine = await loadInstalledEngine(options.backend, { convolutions: name === 'cnn' });
  const model = makeModel(engine.tf, { name, imageShape, classes, seed: 0 });
  const { optimizer } = makeOptimizer(engine.tf, options.optimizer);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  try {
    const budget = await budgetOf(engine, options);
    const parameters = model.countParams();
    print(row('Data', `${dataset} from ${data.source}: ${count(examples.count)} examples`));
    print(row('Model', `${name}, ${count(parameters)} parameters, ${options.optimizer}`));
    print(row('Engine', `${engine.name}: ${engine.device}, ${engine.version}`));
    print(`${budgetLine(budget)}\n\n${trialHeadings()}`);
    const ceiling = await searchCeiling({
      engine,
      model,
      backend: tfjsBackend(engine.tf, model),
      source: imageSource(examples, { imageShape, classes, shuffle: false, flat: name === 'mlp' }),
      budget,
      meter: deviceMemory(engine).meter,
      limits: {
        start: options.start,
        maxTrials: options.trials,
        ...(options.maxBatch === undefined ? {} : { max: options.maxBatch }),
      },
      signal,
      onTrial: (trial) => print(trialLine(trial)),
    });
    print(`\n${ceilingText(ceiling)}`);
    const kept = { store: new CeilingStore(cacheDirectory()), key: ceilingKey(engine, model) };
    const unkept = await keepCeiling(ceiling, kept);
    if (unkept) print(unkept);
    if (options.json !== undefined) {
      await writeJson(options.json, {
        schema: 'batchwise.probe/1',
        dataset: { name: dataset, source: data.source, trainExamples: examples.count },
        model: { name, parameters },
        optimizer: { name: options.optimizer },
        backend: { name: engine.name, version: engine.version, device: engine.device },
        budget: { bytes: budget.bytes ?? null, source: budget.source },
        ceiling,
      });
      print(row('Record', `written to ${options.json}`));
    }
    if (ceiling.batchSize === null) process.exitCode = 1;
  } finally {
    model.dispose();
    optimizer.dispose();
  }
}
