import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readIdx, writeIdx } from '../src/idx.ts';

/** A 2x3 array, byte for byte as the format says. */
const HEADER = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3];
const FILE = Uint8Array.of(...HEADER, 1, 2, 3, 4, 5, 255);

describe('readIdx', () => {
  it('reads shape and elements, plain and in gzip', () => {
    for (const bytes of [FILE, gzipSync(FILE)]) {
      const { shape, data } = readIdx(bytes);
      expect(shape).toEqual([2, 3]);
      expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
    }
  });

  it('reads sizes as big-endian 32-bit numbers', () => {
    const bytes = new Uint8Array(8 + 0x010203);
    bytes.set([0, 0, 8, 1, 0, 1, 2, 3]);
    expect(readIdx(bytes).shape).toEqual([0x010203]);
  });

  it('reads any rank, and bytes in the middle of a buffer', () => {
    expect(readIdx(Uint8Array.of(0, 0, 8, 0, 42))).toEqual({ shape: [], data: Uint8Array.of(42) });
    expect(readIdx(Uint8Array.of(9, 9, ...FILE).subarray(2)).shape).toEqual([2, 3]);
    const rank4 = writeIdx({ shape: [1, 2, 1, 2], data: Uint8Array.of(1, 2, 3, 4) });
    expect(readIdx(rank4).shape).toEqual([1, 2, 1, 2]);
  });

  it.each([
    ['something else', Buffer.from('<html>'), /0x3c68746d.*not, say, a web page/],
    ['another type', Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 0), /float32.*convert the file/],
    ['an unknown type', Uint8Array.of(0, 0, 0x77, 1), /0x00007701.*Check that this is the IDX file/],
    ['nothing', new Uint8Array(), /magic number needs 4 bytes, but there are only 0.*fetch it again/],
    ['half a header', FILE.subarray(0, 9), /2 dimensions needs 12 bytes, but there are only 9.*cut off/],
    ['too little', FILE.subarray(0, 17), /shape \[2, 3\] needs 18 bytes, but there are only 17.*cut off/],
    ['too much', Uint8Array.of(...FILE, 0), /shape \[2, 3\] needs 18 bytes, but there are 19.*Remove what/],
    ['damaged gzip', gzipSync(FILE).subarray(0, 20), /gzip data is damaged.*Fetch the file again/],
  ])('refuses %s and says what to do', (_, bytes, message) => {
    const read = () => readIdx(bytes, 'some-file');
    expect(read).toThrow(message);
    expect(read).toThrow(/^some-file/);
    expect(read).toThrow(expect.objectContaining({ name: 'DataError', code: 'malformedFile' }));
  });
});

describe('writeIdx', () => {
  it('writes the format byte for byte', () => {
    expect(writeIdx({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) })).toEqual(FILE);
  });

  it('refuses a shape that does not fit', () => {
    expect(() => writeIdx({ shape: [2, 2], data: new Uint8Array(3) })).toThrow(
      'Shape [2, 2] has 4 elements, but there are 3',
    );
    expect(() => writeIdx({ shape: [0.5, 2], data: new Uint8Array(1) })).toThrow(RangeError);
  });
});
