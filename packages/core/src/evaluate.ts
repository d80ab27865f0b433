import type { Backend } from './backend.ts';
import { Breath } from './breath.ts';
import { monotonicClock } from './clock.ts';
import type { Evaluation } from './run-events.ts';
import type { BatchSource } from './source.ts';
import { TrainingError } from './training-error.ts';

/**
 * Loss and metrics of the model over a whole source, each the mean over its examples.
 * @throws TrainingError `emptySource`
 */
export async function evaluate<Batch, Gradient>(
  backend: Pick<Backend<Batch, Gradient>, 'evaluate' | 'sizeOf'>,
  source: BatchSource<Batch>,
  options: { readonly batchSize?: number } = {},
): Promise<Evaluation> {
  const cursor = source.epoch(0);
  const sums = new Map<string, number>();
  const breath = new Breath(monotonicClock);
  let examples = 0;
  for (;;) {
    await breath.take();
    const batch = await cursor.take(options.batchSize ?? 512);
    if (batch === undefined) break;
    const size = backend.sizeOf(batch);
    const { loss, metrics } = await backend.evaluate(batch);
    for (const [name, value] of Object.entries({ ...metrics, loss }))
      sums.set(name, (sums.get(name) ?? 0) + size * (await value.read()));
    examples += size;
  }
  if (examples === 0)
    throw new TrainingError('emptySource', 'There are no examples to evaluate on.', {
      hint: 'Check what the validation source was made from.',
    });
  const means = [...sums].map(([name, sum]) => [name, sum / examples] as const);
  const { loss = NaN, ...metrics } = Object.fromEntries(means);
  return { examples, loss, metrics };
}
