import type { ProbedBackend } from './probed-backend.ts';
import type { CanaryPair } from './trial.ts';

/** What a canary compares. */
interface Quantities {
  /** Without dropout and batch statistics, so that parts must agree to rounding. */
  readonly evaluationLoss: number;
  readonly loss: number;
  readonly gradientNorm: number;
}

/**
 * Takes the canary of one batch: the same examples at the same weights, all at once and in parts of `partSize`. Whoever
 * calls it puts back the moving averages that a forward pass writes.
 */
export async function takeCanary<Batch, Gradient>(
  backend: ProbedBackend<Batch, Gradient>,
  batch: Batch,
  partSize: number,
): Promise<readonly CanaryPair[]> {
  const whole = await quantitiesOf(backend, [batch]);
  const parts = await quantitiesOf(backend, backend.split(batch, partSize));
  return QUANTITIES.map(({ name, quantity, mode }) => ({
    quantity,
    mode,
    whole: whole[name],
    parts: parts[name],
  }));
}

const QUANTITIES = [
  { name: 'evaluationLoss', quantity: 'loss', mode: 'evaluation' },
  { name: 'loss', quantity: 'loss', mode: 'training' },
  { name: 'gradientNorm', quantity: 'gradientNorm', mode: 'training' },
] as const;

async function quantitiesOf<Batch, Gradient>(
  backend: ProbedBackend<Batch, Gradient>,
  parts: readonly Batch[],
): Promise<Quantities> {
  const examples = parts.reduce((sum, part) => sum + backend.sizeOf(part), 0);
  let [evaluationLoss, loss] = [0, 0];
  for (const part of parts) {
    const evaluation = await backend.evaluate(part);
    for (const metric of Object.values(evaluation.metrics)) metric.dispose();
    evaluationLoss += (await evaluation.loss.read()) * (backend.sizeOf(part) / examples);
  }
  let total: Gradient | undefined;
  try {
    for (const part of parts) {
      const share = backend.sizeOf(part) / examples;
      const own = await backend.gradient(part);
      total = accumulated(backend, { total, part: own.gradient, share });
      loss += (await own.loss.read()) * share;
    }
    await backend.confirm?.();
    const squaredNorm = total === undefined ? 0 : await backend.dot(total, total).read();
    await backend.confirm?.();
    return { evaluationLoss, loss, gradientNorm: Math.sqrt(squaredNorm) };
  } finally {
    if (total !== undefined) backend.release(total);
  }
}

/** `accumulate` takes both over only once it worked. */
export function accumulated<Gradient>(
  backend: Pick<ProbedBackend<never, Gradient>, 'accumulate' | 'release'>,
  {
    total,
    part,
    share,
  }: { readonly total: Gradient | undefined; readonly part: Gradient; readonly share: number },
): Gradient {
  try {
    return backend.accumulate(total, part, share);
  } catch (error) {
    backend.release(part);
    throw error;
  }
}
