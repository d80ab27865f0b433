/** What stopped a setup: something missing on this machine, no way to TensorFlow that worked, or wrong options. */
export type SetupErrorCode = 'missingNeed' | 'noTensorflow' | 'invalidOptions';

/** The one error class of a setup. Recognise it by `code`: two copies of a package may be loaded. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
  readonly code: SetupErrorCode;

  constructor(code: SetupErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
