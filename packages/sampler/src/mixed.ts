import type { IndexSampler } from './index-sampler.ts';
import { interleaved } from './interleaved.ts';
import { joined } from './joined.ts';
import { apportion } from './quota-order.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';

/** One of the data sets of a mixture. */
export interface MixedPart {
  readonly sampler: IndexSampler;
  /** Its share of the examples, in relation to the other proportions; above 0. */
  readonly proportion: number;
}

/** What decides the mixture. */
export interface MixedOptions {
  /** An integer from 0 to 2⁵³ − 1: decides which data set comes first where two are due at once. */
  readonly seed: number;
  /** Examples per epoch; as many as the samplers have together where it is not given. */
  readonly size?: number;
}

/**
 * Several data sets in fixed proportions, evenly mixed: at each place of an epoch the examples so far of each data set
 * are within one of its share. A small data set with a large proportion begins its next epoch when it is through; none of
 * its examples comes a second time before all have come once, also over the epochs of the mixture. Indices and state as
 * in `concatenated`.
 * @throws RangeError when there are no parts, a proportion is not above 0 or too small for one example per epoch, or
 *   the sizes are not from 1 to 2³¹ − 1
 */
export function mixed(parts: readonly MixedPart[], { seed, size }: MixedOptions): IndexSampler {
  const { offsets, ...whole } = joined(parts.map(({ sampler }) => sampler));
  const total = size ?? parts.reduce((sum, { sampler }) => sum + sampler.size, 0);
  requireInteger('size', total, { from: 1, to: MAX_SIZE });
  const quotas = apportion(
    total,
    parts.map(({ proportion }) => proportion),
  );
  const turns = parts.map(({ sampler }, k) => ({ sampler, quota: quotas[k] ?? 0, offset: offsets[k] ?? 0 }));
  const independent = () =>
    mixed(
      parts.map(({ sampler, proportion }) => ({ sampler: sampler.independent ?? sampler, proportion })),
      { seed, size: total },
    );
  return {
    ...whole,
    ...interleaved(turns, seed),
    ...(parts.some(({ sampler }) => sampler.independent) && { independent: independent() }),
  };
}
