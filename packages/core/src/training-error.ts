/** What ended a run, or kept it from starting. */
export type TrainingErrorCode =
  | 'invalidOptions'
  | 'cannotMeasure'
  | 'outOfMemory'
  | 'nonFinite'
  | 'deviceLost'
  | 'emptySource'
  | 'observerFailed';

/** The one error class of the loop and of its adapters. Recognise it by `code`: two copies of a package may be loaded. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError';
  readonly code: TrainingErrorCode;
  /** What the user can do about it; empty where the message says it all. */
  readonly hint: string;

  constructor(code: TrainingErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(
      [message, options.hint].filter(Boolean).join(' '),
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint ?? '';
  }
}
