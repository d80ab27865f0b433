import { describe, expect, it } from 'vitest';
import { budgetOf } from '../src/memory/budget.ts';
import { bytes } from '../src/memory/bytes.ts';

const wasm = {
  name: 'wasm' as const,
  device: 'WebAssembly',
  limits: { memoryBytes: 3.2e9, tensorBytes: 3.2e9 },
};
const gpu = { name: 'webgpu' as const, device: 'H200', limits: { memoryBytes: null, tensorBytes: 2e9 } };
const room = (freeBytes: number) => () =>
  Promise.resolve({ freeBytes, source: 'MemAvailable', certainty: 'unknown' as const });

describe('the budget of an engine', () => {
  it('is what was asked for, before all else', async () => {
    expect(await budgetOf(wasm, { budget: 5e6, safety: 0.7 }, { room: room(1e6) })).toMatchObject({
      bytes: 5e6,
      safety: 0.7,
    });
  });

  it('is the limit of the engine, or four fifths of the free memory where that is less', async () => {
    expect((await budgetOf(wasm, {}, { room: room(8e9) })).bytes).toBe(3.2e9);
    expect((await budgetOf(wasm, {}, { room: room(2e9) })).bytes).toBe(1.6e9);
    const cpu = { ...wasm, name: 'cpu' as const, limits: { memoryBytes: null, tensorBytes: null } };
    expect((await budgetOf(cpu, {}, { room: room(10e9) })).bytes).toBe(8e9);
  });

  it('is not known for a GPU, but for one in software it is the memory of the machine', async () => {
    expect((await budgetOf(gpu, {}, { room: room(1e9) })).bytes).toBeUndefined();
    expect((await budgetOf({ ...gpu, device: 'SwiftShader' }, {}, { room: room(1e9) })).bytes).toBe(0.8e9);
  });
});

it.each([
  ['800000', 800_000],
  ['2GB', 2e9],
  ['1.5 GiB', 1_610_612_736],
  ['64kb', 64_000],
])('%s is %i bytes', (text, value) => {
  expect(bytes(text)).toBe(value);
});

it.each(['', 'GB', '2 parsecs', '-1', '0.2'])('"%s" is no number of bytes', (text) => {
  expect(() => bytes(text)).toThrow('Give bytes');
});
