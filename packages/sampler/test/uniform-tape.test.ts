import { describe, expect, it } from 'vitest';
import { seededRandom } from '../src/index.ts';
import { uniformTape } from '../src/uniform-tape.ts';

const DRAWS = 140_000;

/** The numbers of all draws, by the definition: a stream of its own for every 64 · 1024 draws. */
function allUniforms(seed: number, epoch: number): Float64Array {
  const uniforms = new Float64Array(3 * 65_536);
  for (let stream = 0; stream < 3; stream++) {
    const random = seededRandom(seed, epoch, stream);
    for (let k = 0; k < 65_536; k++) uniforms[65_536 * stream + k] = random.uniform();
  }
  return uniforms;
}

describe('uniformTape', () => {
  const uniforms = allUniforms(5, 9);

  it.each([[1], [32], [1000, 7, 3000], [DRAWS]])('reads on in parts of %d', (...counts) => {
    const tape = uniformTape(5, 9, DRAWS);
    for (let position = 0, turn = 0; position < DRAWS; turn++) {
      const read = tape(position, counts[turn % counts.length] ?? 1);
      if (!read.every((uniform, k) => uniform === uniforms[position + k]))
        expect.fail(`differs at ${position}`);
      expect(read.length).toBeGreaterThan(0);
      position += read.length;
      // Every draw would be slow to compare in parts of one.
      if (counts[0] === 1) position += 37;
    }
  });

  it.each([0, 1, 1023, 1024, 5000, 65_535, 65_536, 65_537, 131_071, 131_072, 139_999])(
    'can begin at draw %d, and go back',
    (position) => {
      const tape = uniformTape(5, 9, DRAWS);
      expect(tape(position, 1)).toEqual(uniforms.slice(position, position + 1));
      expect(tape(3, 1)).toEqual(uniforms.slice(3, 4));
      expect(tape(position, 1)).toEqual(uniforms.slice(position, position + 1));
    },
  );

  it('gives at most what was asked for', () => {
    expect(uniformTape(5, 9, DRAWS)(10, 7)).toHaveLength(7);
    expect(uniformTape(5, 9, DRAWS)(1020, 7)).toHaveLength(4);
  });
});
