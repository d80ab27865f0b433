import type { Evidence } from '@batchwise/core';
import { checkAbove } from './check.ts';

/** The rules that `learningRateScale` knows. */
export type LearningRateRuleName = 'linear' | 'sqrt' | 'adascale' | 'adamscale' | 'none';

/**
 * How the learning rate follows the batch, by name or as a function of your own: it gets batchSize / referenceBatchSize
 * and what the decision rests on, and answers the factor on the rate.
 */
export type LearningRateRule = LearningRateRuleName | ((growth: number, evidence: Evidence) => number);

/** What the factor depends on. */
export interface LearningRateQuestion {
  readonly rule: LearningRateRule;
  /** The batch size, in examples, for which the learning rate was configured: there the factor is 1. */
  readonly referenceBatchSize: number;
  /**
   * Largest factor of the rule; what `withLearningRate` makes up for comes on top. Default 4 for `linear` and `adascale`
   * (plain SGD; momentum stands 8), 8 for `sqrt` and `adamscale`;
   * beyond these a rate that was sound at the reference batch stopped being stable in the runs behind the defaults. A
   * function has no default cap.
   */
  readonly maxScale?: number | undefined;
  /** What is known of the noise; needed by `adascale` and `adamscale`. */
  readonly evidence?: Evidence | undefined;
}

const DEFAULT_MAX_SCALE = { linear: 4, adascale: 4, sqrt: 8, adamscale: 8, none: 1 } as const;

/**
 * The factor on the learning rate for a batch of `batchSize`, with k = batchSize / referenceBatchSize:
 *
 * - `linear`: k (Goyal et al. 2017, arXiv 1706.02677, section 2.1; SGD and momentum).
 * - `sqrt`: √k (Malladi et al. 2022, arXiv 2205.10287; Adam and its kin).
 * - `adascale`: (1 + φ/B0) / (1 + φ/B), which is linear while the noise scale φ is far above B and then levels off
 *   (AdaScale, Johnson et al. 2020, arXiv 2007.05105; the optimal step of McCandlish et al. 2018, eq. 2.6). For want of a
 *   noise scale it does not rise.
 * - `adamscale`: the root of that, as AdaptDL has it for Adam.
 * - `none`: 1.
 *
 * None goes above `maxScale`; below the reference batch the factor is below 1.
 * @throws RangeError where a rule of your own answers anything but a finite number above 0
 */
export function learningRateScale(
  batchSize: number,
  { rule, referenceBatchSize, maxScale, evidence = {} }: LearningRateQuestion,
): number {
  const growth = batchSize / referenceBatchSize;
  if (typeof rule === 'function') {
    const scale = rule(growth, evidence);
    checkAbove(scale, `The learning-rate rule's answer for ${growth} times the batch`);
    return Math.min(scale, maxScale ?? Infinity);
  }
  return Math.min(scaleOf(rule), maxScale ?? DEFAULT_MAX_SCALE[rule]);

  function scaleOf(name: LearningRateRuleName): number {
    switch (name) {
      case 'linear':
        return growth;
      case 'sqrt':
        return Math.sqrt(growth);
      case 'adascale':
        return saturating(batchSize, referenceBatchSize, evidence.noiseScale);
      case 'adamscale':
        return Math.sqrt(saturating(batchSize, referenceBatchSize, evidence.noiseScale));
      case 'none':
        return 1;
    }
  }
}

function saturating(batchSize: number, reference: number, noiseScale: number | undefined): number {
  if (noiseScale === undefined) return Math.min(1, batchSize / reference);
  return (1 + noiseScale / reference) / (1 + noiseScale / batchSize);
}
