import { describe, expect, it } from 'vitest';
import { differsByNature, judgeCanary } from '../src/canary.ts';
import type { CanaryPair } from '../src/index.ts';

const training = (quantity: string, whole: number, parts: number): CanaryPair => ({
  quantity,
  mode: 'training',
  whole,
  parts,
});
const evaluation = (whole: number, parts: number): CanaryPair => ({
  quantity: 'loss',
  mode: 'evaluation',
  whole,
  parts,
});
const right = [evaluation(2.3, 2.3), training('loss', 2.3, 2.3), training('gradientNorm', 0.505, 0.5)];

describe('judgeCanary', () => {
  it('accepts what differs by less than the tolerance and says by how much', () =>
    expect(judgeCanary(right, 0.02, false)).toEqual({ kind: 'agrees', deviation: expect.closeTo(0.01, 10) }));

  it('refuses what differs by more, and names it', () =>
    expect(judgeCanary(right, 0.005, false)).toEqual({
      kind: 'disagrees',
      deviation: expect.closeTo(0.01, 10),
      message: 'The gradientNorm in training is 0.505, but 0.5 for the same examples in parts.',
    }));

  it.each([true, undefined])('allows half in training where parts differ by nature (%s)', (byNature) => {
    expect(judgeCanary([training('gradientNorm', 0.74, 0.5)], 0.02, byNature).kind).toBe('agrees');
    expect(judgeCanary([training('gradientNorm', 0.76, 0.5)], 0.02, byNature).kind).toBe('disagrees');
    expect(judgeCanary([evaluation(2.4, 2.3)], 0.02, byNature).kind).toBe('disagrees');
  });

  it.each([0, NaN, Infinity])('refuses a whole of %s', (whole) =>
    expect(judgeCanary([training('loss', whole, 2.3)], 0.02, true)).toMatchObject({
      kind: 'disagrees',
      deviation: whole === 0 ? 1 : null,
    }),
  );

  it('refuses what is not 0 where the parts are', () =>
    expect(judgeCanary([training('loss', 1, 1), training('gradientNorm', 1, 0)], 0.02, false).kind).toBe(
      'disagrees',
    ));

  it('is void where the parts prove nothing', () => {
    expect(judgeCanary([training('loss', 1, NaN)], 0.02, false)).toEqual({
      kind: 'void',
      message: 'The loss in training of the parts is NaN at any size.',
    });
    expect(judgeCanary([training('loss', 0, 0), training('gradientNorm', 0, 0)], 0.02, false)).toEqual({
      kind: 'void',
      message: 'Loss and gradient are 0, so they prove nothing.',
    });
  });
});

it('sees by any quantity in training whether parts differ by nature', () => {
  // 2.3 and 2.3001 differ by 4e-5 of them: by rounding.
  const rounded = [evaluation(2.3, 2.4), training('loss', 2.3, 2.3001), training('gradientNorm', 0.5, 0.5)];
  expect(differsByNature(rounded)).toBe(false);
  expect(differsByNature([...rounded, training('loss', 2.3, 2.301)])).toBe(true);
});
