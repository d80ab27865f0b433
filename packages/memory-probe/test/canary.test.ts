import { describe, expect, it } from 'vitest';
import { canaryBaseline, judgeCanary } from '../src/canary.ts';

const pair = (quantity: string, whole: number, parts: number) => ({ quantity, whole, parts });
const right = [pair('loss', 2.3, 2.3), pair('gradientNorm', 0.505, 0.5)];
const baseline = { loss: 0, gradientNorm: 0 };

describe('judgeCanary', () => {
  it('accepts what differs by less than the tolerance and says by how much', () =>
    expect(judgeCanary(right, 0.02, baseline)).toEqual({
      kind: 'agrees',
      deviation: expect.closeTo(0.01, 10),
    }));

  it('refuses what differs by more, and names it', () =>
    expect(judgeCanary(right, 0.005, baseline)).toEqual({
      kind: 'disagrees',
      deviation: expect.closeTo(0.01, 10),
      message: 'The gradientNorm is 0.505, but 0.5 for the same examples in parts.',
    }));

  it('allows half to what differed in the first trial by more than rounding, each for itself', () => {
    const first = canaryBaseline([
      pair('loss', 2.3, 2.3001),
      pair('gradientNorm', 0.4999, 0.5),
      pair('evaluationLoss', 2.3, 2.3),
    ]);
    expect(first['gradientNorm']).toBeCloseTo(2e-4, 10);
    expect(judgeCanary([pair('gradientNorm', 0.74, 0.5)], 0.02, first).kind).toBe('agrees');
    expect(judgeCanary([pair('gradientNorm', 0.76, 0.5)], 0.02, first).kind).toBe('disagrees');
    // 2.3 and 2.3001 differ by 4e-5 of them: by rounding.
    expect(judgeCanary([pair('loss', 2.4, 2.3)], 0.02, first).kind).toBe('disagrees');
    expect(judgeCanary([pair('evaluationLoss', 2.4, 2.3)], 0.02, first).kind).toBe('disagrees');
  });

  it('lets nothing differ by more than half in the first trial itself', () => {
    expect(judgeCanary([pair('loss', 0.4, 1)], 0.02, undefined).kind).toBe('disagrees');
    expect(judgeCanary([pair('loss', 0.6, 1)], 0.02, undefined).kind).toBe('agrees');
  });

  it.each([0, NaN, Infinity])('refuses a whole of %s', (whole) =>
    expect(judgeCanary([pair('loss', whole, 2.3)], 0.02, baseline)).toMatchObject({
      kind: 'disagrees',
      deviation: whole === 0 ? 1 : null,
    }),
  );

  it('refuses what is not 0 where the parts are', () =>
    expect(judgeCanary([pair('loss', 1, 1), pair('gradientNorm', 1, 0)], 0.02, baseline).kind).toBe(
      'disagrees',
    ));

  it('is void where the parts prove nothing', () => {
    expect(judgeCanary([pair('loss', 1, NaN)], 0.02, baseline)).toEqual({
      kind: 'void',
      message: 'The loss of the parts is NaN at any size.',
    });
    expect(judgeCanary([pair('loss', 0, 0), pair('gradientNorm', 0, 0)], 0.02, baseline)).toEqual({
      kind: 'void',
      message: 'Loss and gradient are 0, so they prove nothing.',
    });
  });
});
