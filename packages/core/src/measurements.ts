/**
 * Inner products of the micro-batch gradients of one step, all taken at the same weights: what a gradient noise
 * scale estimate needs. With micro-batches of b_k examples and mean gradients g_k:
 */
export interface GradientMoments {
  /** b_k, examples per micro-batch; two or more entries. */
  readonly sizes: readonly number[];
  /** |g_k|², in the same order. */
  readonly squaredNorms: readonly number[];
  /** Σ_{j<k} b_j b_k (g_j · g_k). Taken as a sum of dot products, so that nothing cancels in single precision. */
  readonly crossProduct: number;
  /** Where the backend has a `penaltyGradient` r, which each g_k includes: |r|², and r · g_k in the order of `sizes`. */
  readonly penalty?: { readonly squaredNorm: number; readonly products: readonly number[] };
}

/** Device memory at one moment. */
export interface MemoryReading {
  readonly bytesInUse: number;
  /** Highest `bytesInUse` since the run began. */
  readonly peakBytes: number;
  /** Who says so, such as `engine` (tensors that TensorFlow.js tracks) or `allocator`. */
  readonly source: string;
}

/** A value that may still be on the device; a number where nothing else is said. */
export interface Deferred<Value = number> {
  /** Waits for the device, answers the value and frees it. Call it once. */
  read(): Promise<Value>;
  /** Frees it unread. Safe after `read`. */
  dispose(): void;
}
