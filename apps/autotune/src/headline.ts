import type { Engine } from '@batchwise/backend/node';
import { count, row } from './format.ts';
import { isUsedBy, type Learned } from './learned.ts';
import type { RunCeiling } from './memory/run-ceiling.ts';
import type { RunSetting } from './run-record.ts';

/** What is known of a run when it begins. */
export interface Known extends Pick<Learned, 'record' | 'notice'> {
  readonly probe: RunCeiling | null;
  /** What holds in place of `--max-batch-size`. */
  readonly sizeBound: string | undefined;
}

const runs = (number: number): string => (number === 1 ? 'an earlier run' : `${count(number)} earlier runs`);

/** The first lines of a run. */
export function headline(
  { dataset, model, optimizer, sampler, policy: { name } }: RunSetting,
  engine: Engine,
  { record, notice, probe, sizeBound }: Known,
): string {
  const images = `${count(dataset.trainExamples)} examples to train on, ${count(dataset.validationExamples)} to validate`;
  const origin = record && isUsedBy(name, record) ? `, from the record of ${runs(record.runs)}` : '';
  return [
    row('Data', `${dataset.name} from ${dataset.source}: ${images}`),
    row(
      'Model',
      `${model.name}, ${count(model.parameters)} parameters, ${optimizer.name} at ${optimizer.learningRate}`,
    ),
    row('Engine', `${engine.name}: ${engine.device}, ${engine.version}`),
    row('', engine.reason),
    ...(sampler.name === 'shuffled' ? [] : [row('Sampler', sampler.name)]),
    ...(probe ? [row('Memory', probe.text)] : []),
    row('Policy', `${name}${origin}`),
    ...(notice ? [row('', notice)] : []),
    ...(sizeBound ? [row('Batch', sizeBound)] : []),
    '',
  ].join('\n');
}
