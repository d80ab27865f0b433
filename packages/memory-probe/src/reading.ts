/**
 * How far a reading can be trusted: `exact` is what the device counts itself; `upperBound` may be more than was in use,
 * never less; `unknown` counts a part only, or what others use as well.
 */
export type Certainty = 'exact' | 'upperBound' | 'unknown';

/** The most memory that was in use over a few training steps. Survives JSON. */
export type PeakReading = {
  readonly peakBytes: number;
  /**
   * The most that was in use while gradients were computed, updates apart; null where they are not told apart. The
   * optimizer's temporaries hide the growth of small batches, here it shows.
   */
  readonly gradientPeakBytes: number | null;
  /** In use before the first step: weights and optimizer state; null where it is not known. */
  readonly baseBytes: number | null;
  /** Who says so: `allocator GPU_0_bfc`, `engine`, `rss`, … */
  readonly source: string;
  readonly certainty: Certainty;
};
