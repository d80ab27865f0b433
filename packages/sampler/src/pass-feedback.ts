import type { IndexSampler } from './index-sampler.ts';

/** `observe` and `state` of a sampler for one that wraps it and hands out the same indices; none where it has none. */
export function passFeedback(sampler: IndexSampler): Pick<IndexSampler, 'observe' | 'state'> {
  const { observe, state } = sampler;
  return {
    ...(observe && { observe: observe.bind(sampler) }),
    ...(state && { state: state.bind(sampler) }),
  };
}
