import type { Backend } from './backend.ts';
import { Breath } from './breath.ts';
import { monotonicClock } from './clock.ts';
import type { Evaluation } from './run-events.ts';
import type { BatchSource } from './source.ts';
import { TrainingError } from './training-error.ts';

type Evaluator<Batch, Gradient> = Pick<Backend<Batch, Gradient>, 'evaluate' | 'sizeOf' | 'classify'>;

/** Examples per evaluated batch where nobody says otherwise. */
const DEFAULT_BATCH_SIZE = 512;

/**
 * Loss and metrics of the model over a whole source, each the mean over its examples. Where a batch does not fit in
 * memory it goes on with half as many examples.
 * @throws TrainingError `emptySource`, or what the backend threw
 */
export async function evaluate<Batch, Gradient>(
  backend: Evaluator<Batch, Gradient>,
  source: BatchSource<Batch>,
  options: { readonly batchSize?: number } = {},
): Promise<Evaluation> {
  const sums = new Map<string, number>();
  const breath = new Breath(monotonicClock);
  let batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE;
  let cursor = source.epoch(0);
  let examples = 0;
  for (;;) {
    await breath.take();
    const batch = await cursor.take(batchSize);
    if (batch === undefined) break;
    const size = backend.sizeOf(batch);
    try {
      for (const [name, mean] of await meansOf(backend, batch))
        sums.set(name, (sums.get(name) ?? 0) + size * mean);
      examples += size;
    } catch (error) {
      if (size === 1 || backend.classify(error) !== 'outOfMemory') throw error;
      batchSize = Math.ceil(size / 2);
      cursor = source.epoch(0, examples);
    }
  }
  if (examples === 0)
    throw new TrainingError('emptySource', 'There are no examples to evaluate on.', {
      hint: 'Check what the validation source was made from.',
    });
  const means = [...sums].map(([name, sum]) => [name, sum / examples] as const);
  const { loss = NaN, ...metrics } = Object.fromEntries(means);
  return { examples, loss, metrics };
}

/** All of a batch's means, or, where one cannot be read, none and nothing left on the device. */
async function meansOf<Batch, Gradient>(
  backend: Evaluator<Batch, Gradient>,
  batch: Batch,
): Promise<readonly (readonly [string, number])[]> {
  const { loss, metrics } = await backend.evaluate(batch);
  const deferred = Object.entries({ ...metrics, loss });
  try {
    const means: (readonly [string, number])[] = [];
    for (const [name, value] of deferred) means.push([name, await value.read()]);
    return means;
  } finally {
    for (const [, value] of deferred) value.dispose();
  }
}
