import type { IndexSampler } from './index-sampler.ts';

/** `independent` for a sampler that wraps another one: that of the other one, wrapped alike; none where it has none. */
export const passIndependent = (
  { independent }: IndexSampler,
  wrap: (independent: IndexSampler) => IndexSampler,
): Pick<IndexSampler, 'independent'> => (independent ? { independent: wrap(independent) } : {});
