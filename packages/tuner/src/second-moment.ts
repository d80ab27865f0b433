/** What Adam's second-moment estimate was taken over. Survives JSON. */
export type RememberedBatches = {
  /** 1 − β2^t after t steps, as the correction of its bias has it. */
  readonly weight: number;
  /** Mean of 1/B over the steps as they count in it; 0 before the first. */
  readonly inverseBatchSize: number;
  /** The weight of updates from before the run, whose batches nobody knows. */
  readonly unknownWeight: number;
};

/** Before the first step, after so many updates of earlier runs. */
export const rememberedFrom = (updates: number, decay: number): RememberedBatches => ({
  weight: 0,
  inverseBatchSize: 0,
  unknownWeight: 1 - decay ** updates,
});

/** `steps` steps of `batchSize` examples later, each of which leaves `decay` (β2) of what was there. */
export function remember(
  { weight, inverseBatchSize, unknownWeight }: RememberedBatches,
  {
    batchSize,
    decay,
    steps = 1,
  }: { readonly batchSize: number; readonly decay: number; readonly steps?: number },
): RememberedBatches {
  const kept = weight * decay ** steps;
  const added = 1 - decay ** steps;
  return {
    weight: kept + added,
    inverseBatchSize: (kept * inverseBatchSize + added / batchSize) / (kept + added),
    unknownWeight: unknownWeight * decay ** steps,
  };
}

/** The harmonic mean of the batches, examples; those that are not known count as the coming one. */
export const rememberedBatchSize = (
  { weight, inverseBatchSize, unknownWeight }: RememberedBatches,
  coming: number,
): number => (weight + unknownWeight) / (weight * inverseBatchSize + unknownWeight / coming);

/**
 * A coordinate is noisier than the whole gradient: the noise scale is a ratio of sums, in which a few large coordinates
 * outweigh the many noisy ones, and Adam divides coordinate by coordinate. Fitted on MNIST, where 1 leaves a part of the loss
 * and without a bound some runs overshoot.
 */
const NOISE_OF_A_COORDINATE = 10;

/**
 * What the rate must be multiplied by for Adam to make the update that it would make had all steps been as large as this
 * one. It divides by the root of its second-moment estimate v; the squared gradients of a batch B are |G|² (1 + φ/B) in the
 * mean (McCandlish et al. 2018, arXiv 1812.06162, appendix A.1), so that after steps of other sizes v is off by
 * (1 + φ/B') / (1 + φ/B), with B' the harmonic mean of the batches in it. |G|² and φ are taken to be the same for all of
 * them. Between 1 and √(B/B').
 */
export function secondMomentFactor({
  batchSize,
  rememberedBatchSize: remembered,
  noiseScale,
}: {
  /** B, examples. */
  readonly batchSize: number;
  /** B', examples. */
  readonly rememberedBatchSize: number;
  /** φ, examples. */
  readonly noiseScale: number;
}): number {
  const noise = NOISE_OF_A_COORDINATE * noiseScale;
  return Math.sqrt((1 + noise / remembered) / (1 + noise / batchSize));
}
