import type { Tensor, Tf } from '../tf.ts';

/** The parts of a step that are functions of tensors. */
export type StepPart = 'gradient' | 'update' | 'evaluation' | 'accumulate' | 'dot' | 'merge';

/** One part of a step as a function of tensors. */
export interface TensorWork {
  readonly part: StepPart;
  /** Work of one part and key asks TensorFlow for the same each time: same code, same shapes. */
  readonly key: string;
  /** All tensors and variables that it reads, always in the same order. It may assign to the variables. */
  readonly inputs: readonly Tensor[];
  /** Examples in the batch, where the key depends on them. */
  readonly examples?: number;
  /** Numbers of JavaScript that it reads anew each time, such as the learning rate. */
  readonly numbers?: readonly number[];
  /** Largest difference of a value, as a share of the largest value, that rounding may make. */
  readonly tolerance: number;
  /** The same number of results each time, null always at the same places; the caller's to dispose. */
  compute(): readonly (Tensor | null)[];
  /** As `compute`, with other numbers and without a trace in JavaScript. Default: `compute` with the same. */
  readonly rehearsal?: {
    readonly numbers: readonly number[];
    compute(): readonly (Tensor | null)[];
  };
  /**
   * The same work on another number of examples, without a trace in JavaScript; undefined where there are too few. With
   * it, work of one part and `family` is taken to ask for the same at any number of examples, but for values that follow
   * from it, and one graph serves all.
   */
  readonly onFewer?: () => OnFewer | undefined;
  readonly family?: string;
  /** Does what `compute` does in JavaScript besides. */
  replayed?(): void;
}

/** Work on tensors of its own. */
export interface OnFewer extends Pick<TensorWork, 'inputs' | 'compute'> {
  /** How many there are. */
  readonly examples: number;
  dispose(): void;
}

/** Runs the parts of a step, in whatever way is fastest here. */
export interface StepRunner {
  run(work: TensorWork): readonly (Tensor | null)[];
  /** Frees what it keeps; it may be used again. */
  dispose(): void;
}

/** Kernel by kernel, as TensorFlow.js does it. */
export const eagerRunner = ({ tidy }: Pick<Tf, 'tidy'>): StepRunner => ({
  run: ({ compute }) => tidyAll(tidy, compute),
  dispose: () => undefined,
});

/** What `work` returns outlives it, and nothing else that it made. */
export function tidyAll(
  tidy: Tf['tidy'],
  work: () => readonly (Tensor | null)[],
): readonly (Tensor | null)[] {
  let results: readonly (Tensor | null)[] = [];
  tidy(() => {
    results = work();
    return results.filter((tensor) => tensor !== null);
  });
  return results;
}
