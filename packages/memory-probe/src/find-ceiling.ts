import { sizeRange, type SizeBounds } from './bounds.ts';
import { explainCeiling } from './explain.ts';
import { judgeTrial } from './judge-trial.ts';
import { predictPeakBytes, upperPeakBytes, type MemoryFit } from './memory-fit.ts';
import { bestOf, fillsMemory, propose, type CeilingLimit } from './propose.ts';
import type { Certainty } from './reading.ts';
import { fitGradients, fitSteps, type MeasuredStep } from './step-fit.ts';
import type { AbortSignalLike, Trial, TrialOutcome, TrialRecord, TrialRequest } from './trial.ts';

/** Options of {@link findCeiling}. */
export interface CeilingOptions extends SizeBounds {
  /** The first size, in examples; take the one that training would start with. Default 16. */
  readonly start?: number;
  /**
   * Bytes that a training step may take, in the measure in which trials read their peak. Without it the search grows by
   * 4 until a trial fails, and closes in on what did not.
   */
  readonly budgetBytes?: number;
  /**
   * Share of the budget that predictions aim at. Default 0.98 where readings are exact, 0.88 where they are unknown; where
   * they are upper bounds 0.96, and 0.985 for a last step where more may fit than they say.
   */
  readonly safety?: number;
  /** Default 6. */
  readonly maxTrials?: number;
  /** Asked after each trial: true ends the search, as if its trials were spent. */
  readonly isEnough?: (trials: readonly TrialRecord[]) => boolean;
  /** The search begins no trial after so many seconds. Needs a clock. */
  readonly maxSeconds?: number;
  /** Seconds from any fixed origin. */
  readonly clock?: () => number;
  /** `off` accepts steps that ran without a proof that they computed the right thing. Default `required`. */
  readonly canary?: 'required' | 'off';
  /** By how much a batch may differ from its parts, as a share, where they do not differ by nature. Default 0.02. */
  readonly canaryTolerance?: number;
  /**
   * A gain of less than this share is not worth a trial. Default 0.015, and 0.05 where readings are not exact; there the
   * last step has 0.015 too.
   */
  readonly resolution?: number;
  /** Aborts between trials, and is handed to each. */
  readonly signal?: AbortSignalLike;
  /** Called after each trial. */
  readonly onTrial?: (trial: TrialRecord) => void;
}

/** What a search found. Survives JSON. */
export type Ceiling = {
  /** The largest size that trained, and trained right; null where none did. */
  readonly batchSize: number | null;
  readonly limitedBy: CeilingLimit;
  /** One sentence for a person. */
  readonly reason: string;
  readonly budgetBytes: number | null;
  readonly safety: number;
  /** Null where the readings are too few, or too flat, for one. */
  readonly fit: MemoryFit | null;
  /** In the order in which they ran. */
  readonly trials: readonly TrialRecord[];
};

/** How far off a reading is taken to be, as a share of it. */
const NOISE: Readonly<Record<Certainty, number>> = { exact: 0.002, upperBound: 0.03, unknown: 0.01 };
const SAFETY: Readonly<Record<Certainty, number>> = { exact: 0.98, upperBound: 0.96, unknown: 0.88 };
/**
 * An allocator that hands out whole chunks reads up to 9 % more than was asked for, and less as it fills: what a first
 * step leaves below the limit, a small second one takes, where that is more than 5 % or the readings show such a surplus.
 * Else it is left: on the last percents chunks do not fit side by side, and two of ten such steps failed.
 */
const CLOSING: Readonly<Record<Certainty, number>> = { ...SAFETY, upperBound: 0.985 };
const ENOUGH = 0.95;
const CLOSING_RESOLUTION: Readonly<Record<Certainty, number>> = {
  exact: 0.015,
  upperBound: 0.015,
  unknown: 0.05,
};
/**
 * Readings that are not exact give way as memory fills: whoever creeps up on them ends in a failure, which costs ten
 * seconds on TensorFlow. So few steps that land near are enough.
 */
const RESOLUTION: Readonly<Record<Certainty, number>> = { exact: 0.015, upperBound: 0.05, unknown: 0.05 };

/**
 * The largest batch that fits. A few real training steps at growing sizes give their peak memory; from these the largest
 * size within the budget is predicted, and it is returned only once it has been run. The first trial is small and each
 * further one is within what the readings so far allow, so the search does not run out of memory to find out how much
 * there is. A size that fails alone, between others that fit, is not taken for the ceiling.
 *
 * @param trial trains a few steps at one size, says how it went and leaves everything as it was
 * @throws RangeError when an option is out of its range or a trial proves nothing (no step, another size, no canary)
 * @throws the trial's own error where no size trained and the reason is not that they were too big
 * @throws the reason of `signal` where it is aborted
 */
export async function findCeiling(trial: Trial, options: CeilingOptions = {}): Promise<Ceiling> {
  const search = new CeilingSearch(options);
  for (;;) {
    const next = search.next();
    if (next.kind === 'stop') return search.ceiling(next.limitedBy);
    await search.run(trial, next.batchSize);
  }
}

class CeilingSearch {
  readonly #options: CeilingOptions;
  readonly #range;
  readonly #startedAt: number | undefined;
  readonly #trials: TrialRecord[] = [];
  #byNature: boolean | undefined;
  #fit: MemoryFit | undefined;
  /** What the last trial threw. */
  #thrown: { readonly error: unknown } | undefined;
  /** Of the last trial that failed for another reason than size. */
  #error: unknown;

  constructor(options: CeilingOptions) {
    checkOptions(options);
    this.#options = options;
    this.#range = sizeRange(options);
    this.#startedAt = options.clock?.();
  }

  next() {
    const { start = 16, maxTrials = 6, resolution } = this.#options;
    const certainty = this.#certainty();
    if (this.#range.most < this.#range.least) return { kind: 'stop', limitedBy: this.#outerLimit() } as const;
    const proposal = propose(this.#trials, {
      range: this.#range,
      start,
      allowedBytes: this.#allowedBytes(),
      fit: this.#fit,
      gradientFit: fitGradients(this.#steps(), this.#noise()),
      isExact: certainty === 'exact',
      isLastTrial: this.#trials.length === maxTrials - 1,
      resolution: resolution ?? RESOLUTION[certainty],
      closing: {
        allowedBytes: this.#allowedBytes(CLOSING[certainty]),
        resolution: resolution ?? CLOSING_RESOLUTION[certainty],
        enoughBytes: this.#allowedBytes(ENOUGH),
      },
    });
    const isSpent =
      this.#trials.length >= maxTrials || this.#secondsSpent() >= this.#maxSeconds() || this.#isEnough();
    return proposal.kind === 'try' && isSpent
      ? ({ kind: 'stop', limitedBy: 'searchBudget' } as const)
      : proposal;
  }

  async run(trial: Trial, batchSize: number): Promise<void> {
    const {
      clock,
      signal,
      onTrial,
      budgetBytes = null,
      canary = 'required',
      canaryTolerance = 0.02,
    } = this.#options;
    if (signal?.aborted) throw signal.reason ?? new Error('The search was aborted.');
    const request = this.#request(batchSize);
    const startedAt = clock?.();
    const outcome = await this.#outcome(trial, request);
    const { record, byNature } = judgeTrial(request, outcome, {
      budgetBytes,
      canary,
      canaryTolerance,
      byNature: this.#byNature,
      fillsMemory: fillsMemory(batchSize, bestOf(this.#trials), {
        fit: this.#fit,
        allowedBytes: this.#allowedBytes(),
      }),
    });
    this.#byNature = byNature;
    if (record.verdict === 'error')
      this.#error = this.#thrown?.error ?? new Error(record.message ?? 'unknown');
    const seconds = clock && startedAt !== undefined ? clock() - startedAt : null;
    const predictedPeakBytes = this.#fit ? predictPeakBytes(this.#fit, batchSize) : null;
    const kept = { ...record, predictedPeakBytes, seconds };
    this.#trials.push(kept);
    // Gaps between blocks make steps even of readings that are exact: then it is a line of those that are not.
    this.#fit = fitSteps(this.#steps(), this.#noise()) ?? fitSteps(this.#steps(), NOISE.upperBound);
    onTrial?.(kept);
  }

  /** @throws the trial's error where nothing trained for another reason than size */
  ceiling(limitedBy: CeilingLimit): Ceiling {
    const batchSize = bestOf(this.#trials)?.batchSize ?? null;
    const isFailure = this.#trials.length > 0 && this.#trials.every(({ verdict }) => verdict === 'error');
    if (batchSize === null && (isFailure || limitedBy === 'failure')) throw this.#error;
    const result = {
      batchSize,
      limitedBy,
      budgetBytes: this.#options.budgetBytes ?? null,
      safety: this.#safety(),
      fit: this.#fit ?? null,
      trials: [...this.#trials],
    };
    return { ...result, reason: explainCeiling(result, this.#range) };
  }

  async #outcome(trial: Trial, request: TrialRequest): Promise<TrialOutcome> {
    this.#thrown = undefined;
    try {
      return await trial(request);
    } catch (error) {
      const { signal } = this.#options;
      if (signal?.aborted) throw signal.reason ?? error;
      this.#thrown = { error };
      return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The parts of the canary are of a size that is known to be right, where there is one of at most half. */
  #request(batchSize: number): TrialRequest {
    const half = Math.ceil(batchSize / 2);
    const hasCanary = batchSize > 1 && this.#options.canary !== 'off';
    const known = this.#trials.filter((trial) => trial.verdict === 'fits' && trial.batchSize <= half);
    return {
      batchSize,
      referenceSize: hasCanary ? Math.max(0, ...known.map((trial) => trial.batchSize)) || half : null,
      predictedPeakBytes: this.#fit ? upperPeakBytes(this.#fit, batchSize) : null,
      signal: this.#options.signal,
    };
  }

  #steps(): MeasuredStep[] {
    return this.#trials.flatMap(({ batchSize, peak }) => (peak ? [{ batchSize, ...peak }] : []));
  }

  #noise(): number {
    return NOISE[this.#certainty()];
  }

  #certainty(): Certainty {
    return this.#trials.find(({ peak }) => peak)?.peak?.certainty ?? 'exact';
  }

  /** @param share of the budget where the user has not said one */
  #allowedBytes(share = SAFETY[this.#certainty()]): number | null {
    const { budgetBytes, safety = share } = this.#options;
    return budgetBytes === undefined ? null : safety * budgetBytes;
  }

  /** What the search came to aim at. */
  #safety(): number {
    return this.#options.safety ?? CLOSING[this.#certainty()];
  }

  #outerLimit(): CeilingLimit {
    return this.#range.limitedBy === 'none' ? 'searchBudget' : this.#range.limitedBy;
  }

  #isEnough(): boolean {
    return this.#trials.length > 0 && this.#options.isEnough?.(this.#trials) === true;
  }

  #secondsSpent(): number {
    const { clock } = this.#options;
    return clock && this.#startedAt !== undefined ? clock() - this.#startedAt : 0;
  }

  #maxSeconds(): number {
    return this.#options.maxSeconds ?? Infinity;
  }
}

function checkOptions(options: CeilingOptions): void {
  const { start, maxTrials, budgetBytes, safety, maxSeconds, clock, canaryTolerance, resolution } = options;
  for (const [name, value] of Object.entries({ start, maxTrials }))
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw new RangeError(`${name} is ${value}; give a whole number of at least 1.`);
  for (const [name, value] of Object.entries({ budgetBytes, maxSeconds, canaryTolerance, resolution }))
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw new RangeError(`${name} is ${value}; give a number above 0.`);
  if (safety !== undefined && !(safety > 0 && safety <= 1))
    throw new RangeError(`safety is ${safety}; give a share of the budget, above 0 and at most 1.`);
  if (maxSeconds !== undefined && clock === undefined)
    throw new RangeError('maxSeconds needs a clock to count by.');
}
