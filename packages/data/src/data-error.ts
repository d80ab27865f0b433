/** What is wrong: a file's content, a file that is not there, its checksum, or the way to get it. */
export type DataErrorCode = 'malformedFile' | 'missingFile' | 'checksumMismatch' | 'downloadFailed';

/** The one error class for data files and downloads. Recognise it by `code`: two copies of a package may be loaded. */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly code: DataErrorCode;
  /** What the user can do about it; empty where the message says it all. */
  readonly hint: string;

  constructor(code: DataErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(
      [message, options.hint].filter(Boolean).join(' '),
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint ?? '';
  }
}

/** The innermost reason in one line: `fetch` hides the network's own words in `cause`, sometimes in a list. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error && !(error instanceof DataError)) return reasonOf(error.cause);
  const [line = ''] = error.message.split('\n');
  return line === '' ? error.name : line;
}
