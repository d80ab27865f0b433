import { describe, expect, it } from 'vitest';
import { budgetOf } from '../src/memory/budget.ts';
import { deviceMemory } from '../src/memory/device-memory.ts';

const asked: string[] = [];
const reader = {
  read: (device: string) => {
    asked.push(device);
    return { allocator: 'GPU_0_bfc', currentBytes: 1e6, peakBytes: 3e6, limitBytes: 80e9 };
  },
  resetPeak: () => true,
};

describe('the memory of a GPU', () => {
  it('is metered and bounded by its allocator', async () => {
    const { meter, limitBytes } = deviceMemory({ name: 'cuda' }, () => reader);
    expect(limitBytes).toBe(80e9);
    expect(meter).toMatchObject({ source: 'allocator GPU_0_bfc', certainty: 'upperBound' });
    expect(await meter?.read()).toEqual({ bytesInUse: 1e6, peakBytes: 3e6 });
    expect(new Set(asked)).toEqual(new Set(['GPU:0']));
  });

  it('is not known without the addon, and on the processor not asked for', () => {
    const unknown = { meter: undefined, limitBytes: null };
    expect(deviceMemory({ name: 'cuda' }, () => undefined)).toEqual(unknown);
    expect(deviceMemory({ name: 'native' }, () => reader)).toEqual(unknown);
  });

  it('is the budget of a run', async () => {
    const cuda = { name: 'cuda' as const, device: 'H200', limits: { memoryBytes: null, tensorBytes: null } };
    const room = () => Promise.resolve({ freeBytes: 1e9, source: 'x', certainty: 'unknown' as const });
    expect(await budgetOf(cuda, {}, { room, limitOf: () => 80e9 })).toEqual({
      bytes: 80e9,
      safety: undefined,
      source: 'the limit of cuda',
    });
    expect((await budgetOf(cuda, {}, { room, limitOf: () => null })).bytes).toBeUndefined();
  });
});
