import { beforeEach, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/tf.ts';
import type { TensorWork } from '../../src/traced/tensor-work.ts';
import { Bench } from './bench.ts';

let bench: Bench;
let tf: Bench['tf'];
let native: Bench['native'];
beforeEach(async () => {
  bench = await Bench.open();
  ({ tf, native } = bench);
});

const valuesOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

interface Odd {
  /** Added to the result, by the number of examples. */
  readonly more?: (count: number) => number;
  /** What the second share is a share of. */
  readonly of?: (count: number) => number;
}

/** x·1 + 1/n + 1/n, with the ones as a tensor of n, on n examples 1…n. */
function sized(count: number, { more = () => 0, of = (n) => n }: Odd = {}): TensorWork {
  const compute = (x: Tensor, n: number) => {
    const ones = native.constant(new Array<number>(n).fill(1), [n]);
    const share = (whole: number) => native.constant([1 / whole]);
    const sum = native.op('Add', native.op('Add', native.op('Mul', x, ones), share(n)), share(of(n)));
    return [native.op('Add', sum, native.constant([more(n)]))];
  };
  const on = (n: number) => {
    const x = tf.tensor(valuesOf(n));
    return { inputs: [x], compute: () => compute(x, n), examples: n, dispose: () => x.dispose() };
  };
  return bench.work({
    ...on(count),
    key: String(count),
    examples: count,
    family: 'rows',
    onFewer: () => on(count / 2),
  });
}

const expected = (count: number) => [valuesOf(count).map((value) => Math.fround(value + 2 / count))];
const EAGER = ['Mul', 'Add', 'Add', 'Add'];

describe('work on any number of examples', () => {
  it('is one graph, made at the first size, checked once at each of the others', () => {
    expect(bench.run(sized(8))).toEqual({
      values: expected(8),
      asked: [...EAGER, ...EAGER, ...EAGER, 'run'],
    });
    for (const count of [16, 32, 64]) {
      expect(bench.run(sized(count))).toEqual({ values: expected(count), asked: [...EAGER, 'run'] });
      expect(bench.run(sized(count))).toEqual({ values: expected(count), asked: ['run'] });
    }
    expect(bench.run(sized(8))).toEqual({ values: expected(8), asked: ['run'] });
    expect(native.graphs.size).toBe(1);
    // The shape that the ones fill, their value, and the share, which is read twice.
    const [text = ''] = native.graphs.values();
    expect(native.loose.size).toBe(0);
    expect([...text.matchAll(/name: "(\w+)" op: "Placeholder"/g)].map(([, name]) => name)).toEqual([
      'i0',
      'c0_shape',
      'c0_value',
      'c1',
    ]);
    expect(text).toContain('shape { dim { size: -1 } }');
    bench.tracer.dispose();
    expect(native.graphs.size).toBe(0);
    expect(native.loose.size).toBe(0);
  });

  it('is a graph of its own where something else changes with the size', () => {
    // More than half of 8 and 4, so that it is the same there: no number that follows from the size.
    const more = (count: number) => (count > 8 ? 5 : 3);
    expect(bench.run(sized(8, { more })).values).toEqual([expected(8)[0]?.map((value) => value + 3)]);
    const other = [valuesOf(16).map((value) => Math.fround(value + 2 / 16 + 5))];
    expect(bench.run(sized(16, { more }))).toEqual({
      values: other,
      asked: [...EAGER, ...EAGER, ...EAGER, 'run'],
    });
    expect(bench.run(sized(16, { more }))).toEqual({ values: other, asked: ['run'] });
    expect(native.graphs.size).toBe(2);
  });

  it('is a graph of its own where what was equal is not any more', () => {
    const of = (count: number) => Math.min(count, 8);
    expect(bench.run(sized(8, { of })).values).toEqual(expected(8));
    const other = [valuesOf(16).map((value) => Math.fround(value + 1 / 16 + 1 / 8))];
    expect(bench.run(sized(16, { of })).asked).toEqual([...EAGER, ...EAGER, ...EAGER, 'run']);
    expect(bench.run(sized(16, { of }))).toEqual({ values: other, asked: ['run'] });
  });

  it('is a graph of its own where the one of another size gives other values', () => {
    bench.run(sized(8));
    native.error = 1;
    expect(bench.run(sized(16)).values).toEqual(expected(16));
    native.error = 0;
    expect(bench.run(sized(16)).asked).toEqual([...EAGER, ...EAGER, ...EAGER, 'run']);
    expect(bench.run(sized(16))).toEqual({ values: expected(16), asked: ['run'] });
    expect(native.graphs.size).toBe(2);
  });

  it('is a graph for that size where there are too few examples to do it on fewer', () => {
    const alone = () => ({ ...sized(8), onFewer: () => undefined });
    expect(bench.run(alone()).asked).toEqual([...EAGER, ...EAGER, 'run']);
    expect(bench.run(alone())).toEqual({ values: expected(8), asked: ['run'] });
    bench.run(sized(16));
    expect(native.graphs.size).toBe(2);
  });

  it('draws noise of the shape of the moment, and takes it as it was to check the graph', () => {
    let drawn = 0;
    const noisy = (count: number) => {
      const on = (n: number) => {
        const x = tf.tensor(valuesOf(n));
        const compute = () => {
          // Another one each time, between 0 and 1.
          const noise = valuesOf(n).map((value) => ((value * 7 + (drawn += 1)) % 16) / 16);
          const kept = native.op('Add', native.constant(noise, [n]), native.constant([0.75]));
          return [native.op('Mul', x, native.op('Floor', kept))];
        };
        return { inputs: [x], compute, examples: n, dispose: () => x.dispose() };
      };
      return bench.work({ ...on(count), key: String(count), family: 'noisy', onFewer: () => on(count / 2) });
    };
    bench.run(noisy(8));
    expect(bench.run(noisy(12)).asked.at(-1)).toBe('run');
    expect(bench.events.map(({ key, status }) => [key, status])).toEqual([
      ['8', 'traced'],
      ['12', 'traced'],
    ]);
    // The fake draws 0.5 always: ⌊0.5 + 0.75⌋ is 1.
    expect(bench.run(noisy(12))).toEqual({ values: [valuesOf(12)], asked: ['run'] });
    expect(native.graphs.size).toBe(1);
  });

  it('frees the graph with the last size that it serves', () => {
    for (let count = 8; count < 8 + 2 * 30; count += 2) bench.run(sized(count));
    expect(native.graphs.size).toBe(1);
    const runOther = (i: number) => bench.run(bench.work({ key: `other ${i}` }));
    for (let i = 0; i < 1000; i += 1) runOther(i % 18);
    // 48 are there: each further one pushes out one that was not used for as long.
    for (let i = 0; i < 29; i += 1) runOther(18 + i);
    expect([...native.graphs.values()].some((text) => text.includes('c0_shape'))).toBe(true);
    runOther(47);
    expect([...native.graphs.values()].some((text) => text.includes('c0_shape'))).toBe(false);
    expect(bench.run(sized(8)).values).toEqual(expected(8));
  });
});

describe('work on any number of examples, of code that is known', () => {
  beforeEach(async () => {
    bench = await Bench.open({ foresees: true });
    ({ tf, native } = bench);
  });

  it('is checked at one size beyond the first, and foreseen at all others from half of the first on', () => {
    expect(bench.run(sized(8)).asked).toEqual([...EAGER, ...EAGER, ...EAGER, 'run']);
    expect(bench.run(sized(6)).asked).toEqual([...EAGER, 'run']);
    expect(bench.run(sized(16)).asked).toEqual([...EAGER, 'run']);
    for (const count of [32, 64, 4, 2048])
      expect(bench.run(sized(count))).toEqual({ values: expected(count), asked: ['run'] });
    expect(bench.run(sized(2))).toEqual({ values: expected(2), asked: [...EAGER, 'run'] });
    expect(native.graphs.size).toBe(1);
    expect(bench.events.map(({ status }) => status)).toEqual(Array(8).fill('traced'));
    expect(native.loose.size).toBe(0);
    bench.tracer.dispose();
    expect(native.graphs.size).toBe(0);
  });

  it('is checked at each size where a value follows no law', () => {
    const more = (count: number) => count ** 2;
    const right = (count: number) => [
      valuesOf(count).map((value) => Math.fround(Math.fround(value + 2 / count) + count ** 2)),
    ];
    bench.run(sized(8, { more }));
    for (const count of [16, 32])
      expect(bench.run(sized(count, { more }))).toEqual({ values: right(count), asked: [...EAGER, 'run'] });
  });

  it('is looked at with the 500th use of a size, and made anew where it was foreseen wrongly', () => {
    const more = (count: number) => (count > 16 ? 5 : 3);
    for (const count of [8, 16]) bench.run(sized(count, { more }));
    const wrong = [valuesOf(32).map((value) => Math.fround(value + 2 / 32 + 3))];
    for (let use = 1; use < 500; use += 1)
      expect(bench.run(sized(32, { more }))).toEqual({ values: wrong, asked: ['run'] });
    const right = [valuesOf(32).map((value) => Math.fround(value + 2 / 32 + 5))];
    expect(bench.run(sized(32, { more }))).toEqual({
      values: right,
      asked: [...EAGER, ...EAGER, ...EAGER, 'run'],
    });
    expect(bench.run(sized(32, { more }))).toEqual({ values: right, asked: ['run'] });
    expect(native.graphs.size).toBe(2);
  });

  it('keeps the graph where it was foreseen right', () => {
    for (const count of [8, 16]) bench.run(sized(count));
    for (let use = 1; use < 500; use += 1) bench.run(sized(32));
    expect(bench.run(sized(32))).toEqual({ values: expected(32), asked: [...EAGER, 'run'] });
    expect(bench.run(sized(32))).toEqual({ values: expected(32), asked: ['run'] });
    expect(native.graphs.size).toBe(1);
  });

  it('is tried again later where it did not fit when it was foreseen', () => {
    for (const count of [8, 16]) bench.run(sized(count));
    native.failure = {
      at: 'run',
      error: new Error('Session fail to run with error: OOM when allocating tensor with shape[32]'),
    };
    expect(() => bench.run(sized(32))).toThrow('OOM');
    native.failure = undefined;
    expect(bench.run(sized(32))).toEqual({ values: expected(32), asked: ['run'] });
  });

  it('is done kernel by kernel where the graph refuses what was foreseen', () => {
    for (const count of [8, 16]) bench.run(sized(count));
    const { binding } = native;
    let refusals = 1;
    native.binding = Object.create(binding, {
      runSavedModel: {
        value: (...args: Parameters<typeof binding.runSavedModel>) => {
          if ((refusals -= 1) >= 0) throw new Error('Incompatible shapes');
          return binding.runSavedModel(...args);
        },
      },
    }) as typeof binding;
    expect(bench.run(sized(32))).toEqual({ values: expected(32), asked: [...EAGER, 'run'] });
    expect(bench.run(sized(32))).toEqual({ values: expected(32), asked: ['run'] });
    expect(native.loose.size).toBe(0);
  });

  it('is foreseen no more once a size contradicts it, and looked at again where it was', () => {
    // The same as 3 at all of 8, 4 and 16, and at 32.
    const more = (count: number) => (count === 2 ** Math.round(Math.log2(count)) ? 3 : 5);
    for (const count of [8, 16, 32, 64]) bench.run(sized(count, { more }));
    expect(bench.run(sized(32, { more })).asked).toEqual(['run']);
    // Below the fewest that were seen, so that it is done kernel by kernel.
    bench.run(sized(2, { more: () => 7 }));
    // Each is checked with its next use, and further ones before their first.
    expect(bench.run(sized(32, { more })).asked).toEqual([...EAGER, ...EAGER, ...EAGER, 'run']);
    expect(bench.run(sized(48, { more })).asked.slice(0, 4)).toEqual(EAGER);
  });
});
