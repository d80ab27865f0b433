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

/** Relative differences by quantity, as the first trial of a search had them. */
export type CanaryBaseline = Readonly<Record<string, number>>;

/** |whole − parts| / |parts|. */
const deviationOf = ({ whole, parts }: CanaryPair): number => Math.abs(whole - parts) / Math.abs(parts);

/** What the first canary of a search says of the model: batch statistics and dropout make parts differ by nature. */
export const canaryBaseline = (canary: readonly CanaryPair[]): CanaryBaseline =>
  Object.fromEntries(canary.map((pair) => [pair.quantity, deviationOf(pair)]));

/**
 * Compares a batch with its parts. Engines answer work beyond their limits with zeros or stale data instead of an error,
 * so a step that ran is not yet a step that trained. A quantity may differ by `tolerance`, or by 0.5 where the first trial,
 * of a small batch, showed that it differs by nature (batch statistics, dropout).
 */
export function judgeCanary(
  canary: readonly CanaryPair[],
  tolerance: number,
  baseline: CanaryBaseline | undefined,
): CanaryVerdict {
  const blind = canary.find(({ parts }) => !Number.isFinite(parts));
  if (blind)
    return { kind: 'void', message: `The ${blind.quantity} of the parts is ${blind.parts} at any size.` };
  // A quantity of 0 has no relative difference; a gradient of 0 proves nothing at all.
  const telling = canary.filter(({ whole, parts }) => whole !== 0 || parts !== 0);
  if (telling.length === 0)
    return { kind: 'void', message: 'Loss and gradient are 0, so they prove nothing.' };
  let deviation = 0;
  for (const pair of telling) {
    const own = deviationOf(pair);
    const isExact = baseline !== undefined && (baseline[pair.quantity] ?? 0) <= BY_NATURE;
    if (!(own <= (isExact ? tolerance : LARGEST_TOLERANCE)))
      return {
        kind: 'disagrees',
        deviation: Number.isFinite(own) ? own : null,
        message: `The ${pair.quantity} is ${pair.whole}, but ${pair.parts} for the same examples in parts.`,
      };
    deviation = Math.max(deviation, own);
  }
  return { kind: 'agrees', deviation };
}
