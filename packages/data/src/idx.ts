import { DataError } from './data-error.ts';
import { unwrapGzip } from './gzip.ts';

/** An array of unsigned bytes in row-major order. */
export interface IdxArray {
  /** Sizes of the dimensions, the first one being the examples. */
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UBYTE = 0x08;
/** The other element types of the format; none of them is used by the data sets here. */
const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);
/** Two zero bytes, the type of the elements, the number of dimensions. */
const MAGIC_BYTES = 4;
const BYTES_PER_DIMENSION = 4;

/**
 * Reads an IDX file, plain or in gzip, of unsigned bytes and any rank: the magic number, one big-endian 32-bit size
 * per dimension, then the elements (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits").
 *
 * @param file what to call the bytes in an error
 * @throws DataError `malformedFile` for a wrong magic number, another element type, missing or surplus bytes
 */
export function readIdx(bytes: Uint8Array, file = 'IDX data'): IdxArray {
  const plain = unwrapGzip({ file, bytes });
  const rank = readMagic(plain, file);
  const header = MAGIC_BYTES + BYTES_PER_DIMENSION * rank;
  requireAtLeast(plain, header, `${file}: ${rank} dimensions`);
  const view = new DataView(plain.buffer, plain.byteOffset, header);
  const shape = Array.from({ length: rank }, (_, axis) =>
    view.getUint32(MAGIC_BYTES + BYTES_PER_DIMENSION * axis),
  );
  const expected = header + shape.reduce((product, size) => product * size, 1);
  requireAtLeast(plain, expected, `${file}: shape [${shape.join(', ')}]`);
  if (plain.length > expected)
    throw new DataError(
      'malformedFile',
      `${file}: shape [${shape.join(', ')}] needs ${expected} bytes, but there are ${plain.length}.`,
      { hint: 'Remove what follows the data, or fetch the file again.' },
    );
  return { shape, data: plain.subarray(header) };
}

/** The rank, once the rest of the magic number is as it should be. */
function readMagic(bytes: Uint8Array, file: string): number {
  requireAtLeast(bytes, MAGIC_BYTES, `${file}: the magic number`);
  const [first = 0, second = 0, type = 0, rank = 0] = bytes;
  const found = [first, second, type, rank].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (first === 0 && second === 0 && type === UBYTE) return rank;
  const typeName = first === 0 && second === 0 ? OTHER_TYPES.get(type) : undefined;
  if (typeName !== undefined)
    throw new DataError('malformedFile', `${file}: the elements are ${typeName} (magic number 0x${found}).`, {
      hint: 'Only unsigned bytes (0x000008..) can be read; convert the file.',
    });
  throw new DataError('malformedFile', `${file}: the magic number is 0x${found}, not 0x000008...`, {
    hint: 'Check that this is the IDX file itself and not, say, a web page or an archive of it.',
  });
}

function requireAtLeast(bytes: Uint8Array, expected: number, what: string): void {
  if (bytes.length >= expected) return;
  throw new DataError(
    'malformedFile',
    `${what} needs ${expected} bytes, but there are only ${bytes.length}.`,
    {
      hint: 'The file is cut off; fetch it again.',
    },
  );
}

/**
 * The plain IDX file of an array: what `readIdx` reads.
 * @throws RangeError when the shape and the number of elements disagree or the format has no room for the shape
 */
export function writeIdx({ shape, data }: IdxArray): Uint8Array {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== data.length)
    throw new RangeError(
      `Shape [${shape.join(', ')}] has ${elements} elements, but there are ${data.length}.`,
    );
  if (shape.length > 255 || shape.some((size) => !Number.isInteger(size) || size < 0 || size >= 2 ** 32))
    throw new RangeError(
      `Shape [${shape.join(', ')}] does not fit; give at most 255 integers from 0 to 2^32 - 1.`,
    );
  const header = MAGIC_BYTES + BYTES_PER_DIMENSION * shape.length;
  const bytes = new Uint8Array(header + data.length);
  bytes.set([0, 0, UBYTE, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, axis) => view.setUint32(MAGIC_BYTES + BYTES_PER_DIMENSION * axis, size));
  bytes.set(data, header);
  return bytes;
}
