import { gunzipSync } from 'node:zlib';
import { DataError, reasonOf } from './data-error.ts';

/** Bytes and the name to call them by in an error. */
export interface NamedBytes {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/**
 * The bytes without their gzip wrapper, or the bytes as they are where there is none (told by the first two bytes,
 * whatever the file is called).
 * @throws DataError `malformedFile` when the gzip data is cut off or damaged
 */
export function unwrapGzip({ file, bytes }: NamedBytes): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new DataError('malformedFile', `${file}: the gzip data is damaged (${reasonOf(cause)}).`, {
      hint: 'Fetch the file again.',
      cause,
    });
  }
}
