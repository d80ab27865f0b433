import { expectNoLeak } from '@batchwise/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TensorWork } from '../../src/traced/tensor-work.ts';
import { Bench } from './bench.ts';

let bench: Bench;
let tf: Bench['tf'];
let native: Bench['native'];
let x: Bench['x'];
beforeEach(async () => {
  bench = await Bench.open();
  ({ tf, native, x } = bench);
});
const work: Bench['work'] = (given) => bench.work(given);
const run: Bench['run'] = (it) => bench.run(it);

describe('work stays as it is, with the reason,', () => {
  /** Runs it six times; each time the values must be those, kernel by kernel in the end. */
  function stays(it: () => TensorWork, expected: readonly number[]) {
    for (let i = 0; i < 6; i += 1) expect(run(it()).values).toEqual([expected]);
    expect(native.asked).not.toContain('run');
    expect(native.graphs.size).toBe(0);
    expect(bench.events).toHaveLength(1);
    expect(bench.events[0]?.status).toBe('eager');
    return bench.events[0]?.reason;
  }

  it('where it may not be traced', () => {
    expect(stays(() => work({ part: 'update' }), [4, 7, 10])).toBe('as the test says');
  });

  it('where a constant is another each time', () => {
    let count = 0;
    const compute = () => {
      const zero = native.op('Floor', native.constant([0.001 * (count += 1)]));
      return [native.op('Add', x, zero)];
    };
    expect(stays(() => work({ compute }), [1, 2, 3])).toBe('it computes values in JavaScript anew each time');
  });

  it('where it asks for other operations each time', () => {
    let count = 0;
    const compute = () => [
      (count += 1) % 2 ? native.op('Identity', x) : native.op('Mul', x, native.constant([1])),
    ];
    expect(stays(() => work({ compute }), [1, 2, 3])).toBe('it asks for other operations each time');
  });

  it('where it looks at values, though not where they are indices that are gathered by', () => {
    const look = () => native.binding.tensorDataSync(native.getInputTensorIds([x])[0] ?? NaN);
    const reason = stays(
      () =>
        work({
          compute: () => {
            look();
            return [native.op('Identity', x)];
          },
        }),
      [1, 2, 3],
    );
    expect(reason).toBe('it reads values in JavaScript on the way');
    const gather = work({
      key: 'gather',
      compute: () => {
        look();
        return [native.op('GatherV2', x, x)];
      },
    });
    run(gather);
    expect(run(gather)).toEqual({ values: [[1, 2, 3]], asked: ['run'] });
  });

  it('where it reads a tensor that is not among its inputs', () => {
    const foreign = native.constant([5], [1]);
    const compute = () => [native.op('Mul', x, foreign)];
    expect(stays(() => work({ compute }), [5, 10, 15])).toBe('it reads a tensor that is none of its inputs');
  });

  it('where two inputs share their values', () => {
    const alias = tf.clone(x);
    const compute = () => [native.op('Mul', x, alias)];
    expect(stays(() => work({ inputs: [x, alias], compute }), [1, 4, 9])).toBe(
      'two of its inputs share their values',
    );
  });

  it('where it assigns to a variable of somebody else', () => {
    const foreign = tf.variable(tf.tensor([1]));
    const compute = () => {
      foreign.assign(native.constant([2], [1]) as typeof foreign);
      return [native.op('Identity', x)];
    };
    expect(stays(() => work({ compute }), [1, 2, 3])).toBe(
      'it assigns to a variable that is not of the model',
    );
  });

  it('where its values are not finite', () => {
    const compute = () => [native.op('Mul', x, native.constant([Infinity]))];
    expect(stays(() => work({ compute }), [Infinity, Infinity, Infinity])).toBe('its values are not finite');
  });

  it('where the graph gives other values', () => {
    native.error = 0.001;
    expect(stays(() => work(), [4, 7, 10])).toBe('it gave other values as a graph');
  });

  it('where the graph does not load', () => {
    native.failure = { at: 'load', error: new Error('no such operation\nand more') };
    expect(stays(() => work(), [4, 7, 10])).toBe('it failed as a graph (Error: no such operation)');
  });

  it('from the first run that fails', () => {
    run(work());
    native.failure = { at: 'run', error: new Error('Session fail to run with error: planted') };
    expect(run(work())).toEqual({ values: [[4, 7, 10]], asked: ['run', 'Mul', 'Add'] });
    expect(native.graphs.size).toBe(0);
    native.failure = undefined;
    expect(run(work()).asked).toEqual(['Mul', 'Add']);
    expect(bench.events.at(-1)?.reason).toBe(
      'it failed as a graph (Error: Session fail to run with error: planted)',
    );
  });

  it('but memory that is full is left to the controller', () => {
    run(work());
    const error = new Error('Session fail to run with error: OOM when allocating tensor with shape[3]');
    native.failure = { at: 'run', error };
    expect(() => run(work())).toThrow(error);
  });
});

describe('a failure', () => {
  it('of the work itself is thrown, and leaves the binding as it was', () => {
    const { binding } = native;
    const failing = work({
      compute: () => {
        native.op('Mul', x, x);
        throw new Error('planted');
      },
    });
    expect(() => bench.tracer.run(failing)).toThrow('planted');
    expect(native.binding).toBe(binding);
  });

  it('of the rehearsal costs nothing but the trace', async () => {
    const variable = tf.variable(tf.tensor([1, 1, 1]));
    let isFirst = true;
    const compute = () => {
      variable.assign(native.op('Add', variable, x));
      if (!isFirst) throw new Error('planted');
      isFirst = false;
      return [native.op('Identity', variable)];
    };
    await expectNoLeak(tf, () => {
      expect(run(work({ inputs: [x, variable], compute })).values).toEqual([[2, 3, 4]]);
    });
    expect([...variable.dataSync()]).toEqual([2, 3, 4]);
    expect(bench.events[0]?.reason).toBe('it failed as a graph (Error: planted)');
  });
});

it('keeps 48 graphs that take turns, and drops one that was not used for 1,000 runs', () => {
  const asked = (key: number) => run(work({ key: String(key) })).asked;
  for (let key = 0; key < 60; key += 1) asked(key);
  expect(native.graphs.size).toBe(48);
  expect([asked(0), asked(47), asked(48)]).toEqual([['run'], ['run'], ['Mul', 'Add']]);
  // Key 1 ran as number 2 of all; the runs above were numbers 61 to 63.
  for (let i = 64; i <= 1000; i += 1) asked(0);
  expect(asked(48)).toEqual(['Mul', 'Add']);
  expect(asked(48)).toEqual(['Mul', 'Add', 'Mul', 'Add', 'run']);
  expect(native.graphs.size).toBe(48);
  expect([asked(48), asked(2)]).toEqual([['run'], ['run']]);
});
