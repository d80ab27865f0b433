import { populationOf, requireObservation, type IndexSampler, type Json } from './index-sampler.ts';
import type { Feedback } from './pass-feedback.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';

/** Data sets laid end to end: the indices of part k are moved up by the populations of the parts before it. */
export interface Joined extends Feedback {
  readonly population: number;
  /** By how much the indices of each part are moved up. */
  readonly offsets: readonly number[];
}

/** @throws RangeError when there are no parts, or together they are too large */
export function joined(parts: readonly IndexSampler[]): Joined {
  if (parts.length === 0) throw new RangeError('There are no samplers to join; give one at least.');
  const offsets: number[] = [];
  let population = 0;
  for (const part of parts) {
    offsets.push(population);
    population += populationOf(part);
  }
  requireInteger('The joined population', population, { from: 1, to: MAX_SIZE });
  return {
    population,
    offsets,
    ...(parts.some(({ observe }) => observe) && {
      observe(indices: ArrayLike<number>, losses: ArrayLike<number>) {
        requireObservation(population, indices, losses);
        parts.forEach((part, k) => tell(part, offsets[k] ?? 0, { indices, losses }));
      },
    }),
    ...(parts.some(({ state }) => state) && {
      state: (): Json => parts.map((part) => part.state?.() ?? null),
    }),
    ...(parts.some(({ changes }) => changes) && {
      changes: () => parts.reduce((sum, part) => sum + (part.changes?.() ?? 0), 0),
    }),
  };
}

function tell(
  part: IndexSampler,
  offset: number,
  { indices, losses }: { indices: ArrayLike<number>; losses: ArrayLike<number> },
): void {
  const ownIndices: number[] = [];
  const ownLosses: number[] = [];
  for (let k = 0; k < indices.length; k++) {
    const index = (indices[k] ?? NaN) - offset;
    if (index < 0 || index >= populationOf(part)) continue;
    ownIndices.push(index);
    ownLosses.push(losses[k] ?? NaN);
  }
  if (ownIndices.length > 0) part.observe?.(ownIndices, ownLosses);
}
