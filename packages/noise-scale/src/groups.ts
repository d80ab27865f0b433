import type { GradientMoments } from './gradient-components.ts';
import { addSample, type ForgettingOptions, type NoiseScaleState } from './noise-scale-state.ts';

/** Running averages by the name of a group of parameters, such as a layer. Survives JSON. */
export type GroupStates = { readonly [group: string]: NoiseScaleState };

/**
 * The states of several groups of parameters with one measured step more; ask `noiseScale` of each. The components of
 * groups that share no parameter add up to those of the whole, |G|² and tr Σ both; their ratios do not.
 * @param moments by group, each the inner products over that group's parameters alone
 * @throws RangeError as `addSample`
 */
export function addGroupSamples(
  states: GroupStates,
  moments: Readonly<Record<string, GradientMoments>>,
  options: ForgettingOptions,
): GroupStates {
  const added = Object.entries(moments).map(
    ([group, of]) => [group, addSample(states[group], of, options)] as const,
  );
  return { ...states, ...Object.fromEntries(added) };
}
