import type { CanaryPair } from './trial.ts';

/** Above this, numbers are wrong whatever the model: zeros instead of a gradient differ by 1. */
const LARGEST_TOLERANCE = 0.5;
/** What differs by more than this in the first trial differs by nature: rounding alone is a hundred times smaller. */
const BY_NATURE = 1e-4;

/** The verdict of a canary. */
export type CanaryVerdict =
  | { readonly kind: 'agrees'; readonly deviation: number }
  /** The parts themselves gave zeros or nothing finite, so there is nothing to compare with. */
  | { readonly kind: 'void'; readonly message: string }
  | { readonly kind: 'disagrees'; readonly deviation: number | null; readonly message: string };

/** |whole − parts| / |parts|. */
const deviationOf = ({ whole, parts }: CanaryPair): number => Math.abs(whole - parts) / Math.abs(parts);

/** Whether a canary, taken at a small size, shows a model whose parts differ by nature: by dropout, by batch statistics. */
export const differsByNature = (canary: readonly CanaryPair[]): boolean =>
  canary.some((pair) => pair.mode === 'training' && deviationOf(pair) > BY_NATURE);

/**
 * Compares a batch with its parts. Engines answer work beyond their limits with zeros or stale data instead of an error,
 * so a step that ran is not yet a step that trained. A quantity may differ by `tolerance`; in training by 0.5, where parts
 * differ by nature.
 *
 * @param byNature of the first trial of the search; undefined while that is not known, which counts as true
 */
export function judgeCanary(
  canary: readonly CanaryPair[],
  tolerance: number,
  byNature: boolean | undefined,
): CanaryVerdict {
  const blind = canary.find(({ parts }) => !Number.isFinite(parts));
  if (blind)
    return { kind: 'void', message: `The ${nameOf(blind)} of the parts is ${blind.parts} at any size.` };
  // A quantity of 0 has no relative difference; a gradient of 0 proves nothing at all.
  const telling = canary.filter(({ whole, parts }) => whole !== 0 || parts !== 0);
  if (telling.length === 0)
    return { kind: 'void', message: 'Loss and gradient are 0, so they prove nothing.' };
  let deviation = 0;
  for (const pair of telling) {
    const own = deviationOf(pair);
    const isExact = pair.mode === 'evaluation' || byNature === false;
    if (!(own <= (isExact ? tolerance : LARGEST_TOLERANCE)))
      return {
        kind: 'disagrees',
        deviation: Number.isFinite(own) ? own : null,
        message: `The ${nameOf(pair)} is ${pair.whole}, but ${pair.parts} for the same examples in parts.`,
      };
    deviation = Math.max(deviation, own);
  }
  return { kind: 'agrees', deviation };
}

const nameOf = ({ quantity, mode }: CanaryPair): string => `${quantity} in ${mode}`;
