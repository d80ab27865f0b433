import { describe, expect, it } from 'vitest';
import { seededRandom, uniformAt } from '../src/index.ts';
import { WordTape } from '../src/word-tape.ts';

const DRAWS = 140_000;

/** The words of all draws, by the definition: a stream of its own for every 64 · 1024 draws. */
function allWords(seed: number, epoch: number): Uint32Array {
  const words = new Uint32Array(2 * 3 * 65_536);
  for (let stream = 0; stream < 3; stream++)
    seededRandom(seed, epoch, stream).fill(words.subarray(131_072 * stream, 131_072 * (stream + 1)));
  return words;
}

describe('WordTape', () => {
  const words = allWords(5, 9);

  it.each([[1], [32], [1000, 7, 3000], [DRAWS]])('reads on in parts of %d', (...counts) => {
    const tape = new WordTape(5, 9, DRAWS);
    for (let position = 0, turn = 0; position < DRAWS; turn++) {
      const read = tape.read(position, counts[turn % counts.length] ?? 1);
      if (!read.every((word, k) => word === words[2 * position + k])) expect.fail(`differs at ${position}`);
      expect(read.length).toBeGreaterThan(0);
      position += read.length / 2;
      // Every draw would be slow to compare in parts of one.
      if (counts[0] === 1) position += 37;
    }
  });

  it.each([0, 1, 1023, 1024, 5000, 65_535, 65_536, 65_537, 131_071, 131_072, 139_999])(
    'can begin at draw %d, and go back',
    (position) => {
      const tape = new WordTape(5, 9, DRAWS);
      expect(tape.read(position, 1)).toEqual(words.slice(2 * position, 2 * position + 2));
      expect(tape.read(3, 1)).toEqual(words.slice(6, 8));
      expect(tape.read(position, 1)).toEqual(words.slice(2 * position, 2 * position + 2));
    },
  );

  it('gives at most what was asked for', () => {
    expect(new WordTape(5, 9, DRAWS).read(10, 7)).toHaveLength(14);
    expect(new WordTape(5, 9, DRAWS).read(1020, 7)).toHaveLength(8);
  });
});

it('uniformAt joins 32 and 21 bits into 53', () => {
  const words = Uint32Array.of(0, 0, 0xffffffff, 0xffffffff, 0x80000000, 1 << 11);
  expect([0, 1, 2].map((k) => uniformAt(words, k))).toEqual([0, 1 - 2 ** -53, 0.5 + 2 ** -53]);
});
