import { createHash } from 'node:crypto';
import { DataError } from './data-error.ts';
import { unwrapGzip } from './gzip.ts';

/** A published file whose content is known. */
export interface KnownFile {
  readonly name: string;
  /** As published; tells the progress where a server does not. */
  readonly byteLength: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** What the sum is of: the gzip wrapper of one and the same content differs from mirror to mirror. */
  readonly hashed: 'unwrapped' | 'asStored';
}

/**
 * The content of a stored file (without its gzip wrapper where that is what is hashed), once its sum is right.
 * @throws DataError `checksumMismatch` with both sums, `malformedFile` when the gzip data is damaged
 */
export function verifiedContent(stored: Uint8Array, { name, sha256, hashed }: KnownFile): Uint8Array {
  const content = hashed === 'unwrapped' ? unwrapGzip({ file: name, bytes: stored }) : stored;
  const found = createHash('sha256').update(content).digest('hex');
  if (found !== sha256)
    throw new DataError('checksumMismatch', `${name}: SHA-256 is ${found}, expected ${sha256}.`);
  return content;
}
