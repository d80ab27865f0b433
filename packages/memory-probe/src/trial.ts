import type { PeakReading } from './reading.ts';

/** A value now, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** The part of the platform's AbortSignal that is read here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** One size to be tried. */
export interface TrialRequest {
  /** Examples on the device at once. */
  readonly batchSize: number;
  /** For the canary: the same examples in parts of this size; null where none is wanted, or the batch cannot be cut. */
  readonly referenceSize: number | null;
  /** What the fit expects, the upper end of its band; null while there is no fit. */
  readonly predictedPeakBytes: number | null;
  readonly signal: AbortSignalLike | undefined;
}

/** A quantity of the whole batch on the device at once, and of the same examples in smaller parts. */
export type CanaryPair = {
  /** `loss`, `gradientNorm`, … */
  readonly quantity: string;
  /** In training, dropout and batch statistics can make parts differ by nature; in evaluation nothing does. */
  readonly mode: 'training' | 'evaluation';
  readonly whole: number;
  readonly parts: number;
};

/** What a trial found out. It survives JSON, so that it can come from another process. */
export type TrialOutcome =
  | {
      readonly kind: 'trained';
      /** Optimizer updates that ran. */
      readonly steps: number;
      /** Examples on the device at once, counted on the batches themselves. */
      readonly examples: number;
      /** Null where nothing can be read. */
      readonly peak: PeakReading | null;
      /** Of the last update, seconds. */
      readonly stepSeconds?: number | null;
      /** Compared by `findCeiling`; null where none was taken. */
      readonly canary: readonly CanaryPair[] | null;
    }
  | {
      readonly kind: 'tooBig';
      /** A full memory, or a limit of the device such as the size of a buffer. */
      readonly limit: 'memory' | 'deviceLimit';
      readonly message: string;
    }
  | { readonly kind: 'timeout'; readonly message: string }
  /** The device or the process is gone and did not say why. It counts as too big only if memory was about to be full. */
  | { readonly kind: 'lost'; readonly message: string }
  /** Any other failure: it says nothing about memory. */
  | { readonly kind: 'error'; readonly message: string };

/** Trains a few real steps at one size and leaves everything as it was. What it throws counts as `error`. */
export type Trial = (request: TrialRequest) => Awaitable<TrialOutcome>;

/**
 * What a trial means. `fits`: it trained, the peak was within the budget, and the canary agreed (a single example has
 * none). `trained`: the same with the canary off, so that it is not known to have trained right. `wrong`: it ran and gave
 * wrong numbers. `overBudget`: it ran, but took more than there is.
 */
export type Verdict = 'fits' | 'trained' | 'overBudget' | 'tooBig' | 'wrong' | 'timeout' | 'error';

/** Whether a trial ran within the budget, as far as was looked. */
export const isWithin = ({ verdict }: { readonly verdict: Verdict }): boolean =>
  verdict === 'fits' || verdict === 'trained';

/** One trial of a search. Survives JSON. */
export type TrialRecord = {
  readonly batchSize: number;
  readonly verdict: Verdict;
  /** Where the verdict is `tooBig`: of what. */
  readonly limit: 'memory' | 'deviceLimit' | null;
  readonly peak: PeakReading | null;
  /** What the fit expected, without its band; null where there was no fit yet. */
  readonly predictedPeakBytes: number | null;
  readonly steps: number;
  /** Of the last update, seconds, as the trial says; null where it does not. */
  readonly stepSeconds: number | null;
  /** Largest relative difference between the whole batch and its parts, of any quantity; null without a canary. */
  readonly canaryDeviation: number | null;
  /** Null where `findCeiling` was given no clock. */
  readonly seconds: number | null;
  /** What went wrong, in the words of who noticed. */
  readonly message: string | null;
};
