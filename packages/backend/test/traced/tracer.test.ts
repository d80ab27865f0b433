import { expectNoLeak } from '@batchwise/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Variable } from '../../src/tf.ts';
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

describe('work that is the same each time', () => {
  it('is done twice and tried as a graph, then is one graph', () => {
    expect(run(work())).toEqual({ values: [[4, 7, 10]], asked: ['Mul', 'Add', 'Mul', 'Add', 'run'] });
    expect(bench.events).toEqual([{ part: 'gradient', key: '3', status: 'traced', reason: '' }]);
    bench.x = tf.tensor([5, 6, 7]);
    expect(run(work())).toEqual({ values: [[16, 19, 22]], asked: ['run'] });
    expect(native.graphs.size).toBe(1);
    bench.tracer.dispose();
    expect(native.graphs.size).toBe(0);
  });

  it('keeps what is no result, results twice, and inputs that are results', () => {
    const twice = (): TensorWork => {
      const compute = () => {
        const sum = native.op('Add', x, x);
        return [null, sum, tf.clone(sum), tf.clone(x), native.constant([7], [1])];
      };
      return work({ compute });
    };
    const expected = [null, [2, 4, 6], [2, 4, 6], [1, 2, 3], [7]];
    expect(run(twice()).values).toEqual(expected);
    expect(run(twice())).toEqual({ values: expected, asked: ['run'] });
  });

  it('is fed the numbers of the moment', () => {
    const scaled = (rate: number): TensorWork => {
      const by = (number: number) => [native.op('Mul', x, native.constant([-number]))];
      return work({
        numbers: [9, rate],
        compute: () => by(rate),
        rehearsal: { numbers: [9, rate / 2], compute: () => by(rate / 2) },
      });
    };
    expect(run(scaled(2)).values).toEqual([[-2, -4, -6]]);
    expect(run(scaled(0.5))).toEqual({ values: [[-0.5, -1, -1.5]], asked: ['run'] });
  });

  it('assigns to its variables once per run, the rehearsal left out', async () => {
    const variable: Variable = tf.variable(tf.tensor([1, 1, 1]));
    const counting = () =>
      work({
        inputs: [x, variable],
        compute: () => {
          const sum = native.op('Add', variable, x);
          variable.assign(sum);
          return [native.op('Mul', sum, native.constant([10]))];
        },
      });
    expect(run(counting()).values).toEqual([[20, 30, 40]]);
    expect([...variable.dataSync()]).toEqual([2, 3, 4]);
    await expectNoLeak(tf, () => {
      expect(run(counting())).toEqual({ values: [[30, 50, 70]], asked: ['run'] });
    });
    expect([...variable.dataSync()]).toEqual([3, 5, 7]);
    variable.assign(tf.tensor([0, 0, 0]));
    expect(run(counting())).toEqual({ values: [[10, 20, 30]], asked: ['run'] });
  });

  it('draws the noise of dropout anew, and takes it as it was to check the graph', () => {
    let drawn = 0.125;
    const dropout = () =>
      work({
        compute: () => {
          const noise = native.constant([(drawn += 0.125), 0.75, 0.25], [3]);
          const mask = native.op('Floor', native.op('Add', noise, native.constant([0.5])));
          return [native.op('Mul', x, mask)];
        },
      });
    expect(run(dropout()).values).toEqual([[0, 2, 0]]);
    expect(bench.events).toMatchObject([{ status: 'traced' }]);
    // The fake draws 0.5 always.
    expect(run(dropout())).toEqual({ values: [[1, 2, 3]], asked: ['run'] });
  });

  it('is looked at again after 500 uses and then ever more rarely, and traced anew where it has changed', () => {
    let factor = 3;
    const changing = () => work({ compute: () => [native.op('Mul', x, native.constant([factor]))] });
    for (let i = 0; i < 499; i += 1) run(changing());
    factor = 4;
    expect(run(changing())).toEqual({ values: [[4, 8, 12]], asked: ['Mul'] });
    expect(native.graphs.size).toBe(0);
    run(changing());
    expect(run(changing())).toEqual({ values: [[4, 8, 12]], asked: ['run'] });
    const looks = Array.from({ length: 2000 }, (_, i) => i + 503).filter(
      () => run(changing()).asked[0] === 'Mul',
    );
    expect(looks).toEqual([1000, 2000]);
  });

  it('is traced at its second use where the batch is smaller than the one before', () => {
    const sized = (examples: number) => work({ key: String(examples), examples });
    run(sized(10));
    expect(run(sized(4)).asked).toEqual(['Mul', 'Add']);
    run(sized(10));
    expect(run(sized(4)).asked).toEqual(['Mul', 'Add', 'Mul', 'Add', 'run']);
    expect(run(sized(4)).asked).toEqual(['run']);
  });

  it('is traced at its eighth use where its shape is a new one beside another', () => {
    const shaped = (family: string, examples = 10) =>
      work({ family, key: `${family} ${examples}`, examples });
    expect(run(shaped('a')).asked).toHaveLength(5);
    const uses = Array.from({ length: 9 }, () => run(shaped('b')).asked.length);
    expect(uses).toEqual([2, 2, 2, 2, 2, 2, 2, 5, 1]);
    // Another size of a shape that is there.
    expect(run(shaped('b', 20)).asked).toHaveLength(5);
  });

  it('is traced late where it may be rare', () => {
    const evaluation = work({ part: 'evaluation' });
    const uses = Array.from({ length: 9 }, () => run(evaluation).asked.length);
    expect(uses).toEqual([2, 2, 2, 2, 2, 2, 2, 5, 1]);
  });
});
