import type { Pacing } from './pacing.ts';
import { requireNumber, requirePositive } from './require-number.ts';

/** What all fixed schedules have in common. The names are DeepSpeed's, with examples in place of steps. */
export interface DifficultyType {
  /** Whether a difficulty is a `value` on the scale of the scores (default), or a `percentile` of the data, 0 to 100. */
  readonly difficultyType?: 'value' | 'percentile';
}

/** What decides a `fixedLinear`. */
export interface FixedLinearOptions extends DifficultyType {
  readonly minDifficulty: number;
  readonly maxDifficulty: number;
  /** Examples until `maxDifficulty` is reached. */
  readonly totalExamples: number;
  /** Difficulties are multiples of it, rounded down, but not below `minDifficulty`. Default 1. */
  readonly difficultyStep?: number;
}

/** What decides a `fixedRoot`. */
export interface FixedRootOptions extends FixedLinearOptions {
  /** 2 for a square root, 3 for a cube root. */
  readonly rootDegree: number;
}

/** What decides a `fixedDiscrete`. */
export interface FixedDiscreteOptions extends DifficultyType {
  /** Rising; the last one is for the rest of the run. */
  readonly difficulty: readonly number[];
  /** Up to how many examples each difficulty but the last one holds; rising. */
  readonly maxExamples: readonly number[];
}

/**
 * DeepSpeed's `fixed_root`: ⌊(t/T)^(1/r) (d_max − d_min) + d_min⌋ in whole multiples of the difficulty step.
 * @throws RangeError when an option is out of its range
 */
export function fixedRoot(options: FixedRootOptions): Pacing {
  const { minDifficulty, maxDifficulty, totalExamples, difficultyStep = 1, rootDegree } = options;
  requireNumber('minDifficulty', minDifficulty, { above: -Infinity });
  requireNumber('maxDifficulty', maxDifficulty, { above: minDifficulty });
  requirePositive('totalExamples', totalExamples);
  requirePositive('difficultyStep', difficultyStep);
  requirePositive('rootDegree', rootDegree);
  return scaled(options, (t) => {
    if (t >= totalExamples) return maxDifficulty;
    const difficulty =
      (t / totalExamples) ** (1 / rootDegree) * (maxDifficulty - minDifficulty) + minDifficulty;
    return Math.max(minDifficulty, Math.floor(difficulty / difficultyStep) * difficultyStep);
  });
}

/**
 * DeepSpeed's `fixed_linear`: `fixedRoot` of degree 1.
 * @throws RangeError when an option is out of its range
 */
export const fixedLinear = (options: FixedLinearOptions): Pacing => fixedRoot({ ...options, rootDegree: 1 });

/**
 * DeepSpeed's `fixed_discrete`: each difficulty for a given stretch.
 * @throws RangeError when the lists do not fit each other, are empty, or do not rise
 */
export function fixedDiscrete({ difficulty, maxExamples, difficultyType }: FixedDiscreteOptions): Pacing {
  const last = difficulty.at(-1);
  if (last === undefined || difficulty.length !== maxExamples.length + 1) {
    throw new RangeError(
      `fixedDiscrete got ${difficulty.length} difficulties and ${maxExamples.length} maxExamples; give one difficulty more.`,
    );
  }
  difficulty.forEach((each, k) => {
    requireNumber(`difficulty[${k}]`, each, { above: difficulty[k - 1] ?? -Infinity });
  });
  maxExamples.forEach((each, k) =>
    requireNumber(`maxExamples[${k}]`, each, { above: maxExamples[k - 1] ?? 0 }),
  );
  return scaled({ difficultyType }, (t) => difficulty[maxExamples.findIndex((end) => t < end)] ?? last);
}

const scaled = (
  { difficultyType = 'value' }: { readonly difficultyType?: DifficultyType['difficultyType'] | undefined },
  difficultyAt: (examples: number) => number,
): Pacing =>
  difficultyType === 'value'
    ? { limits: 'difficulty', at: difficultyAt }
    : { limits: 'share', at: (examples) => difficultyAt(examples) / 100 };
