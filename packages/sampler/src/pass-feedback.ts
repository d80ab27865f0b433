import type { IndexSampler } from './index-sampler.ts';

/** What a sampler learns by and from, handed on by one that wraps it and gives the same indices. */
export type Feedback = Pick<IndexSampler, 'observe' | 'state' | 'changes'>;

/**
 * `observe`, `state` and `changes` of a sampler for one that wraps it and hands out the same indices; none where it has
 * none.
 */
export function passFeedback(sampler: IndexSampler): Feedback {
  const { observe, state, changes } = sampler;
  return {
    ...(observe && { observe: observe.bind(sampler) }),
    ...(state && { state: state.bind(sampler) }),
    ...(changes && { changes: changes.bind(sampler) }),
  };
}
