import { expectNoLeak } from '@batchwise/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LayersGradient } from '../src/layers-gradient.ts';
import { isMergedOnHost, mergeOnHost } from '../src/merge-on-host.ts';
import { loadEngine, type LayersTf } from '../src/node/index.ts';

let tf: LayersTf;
beforeAll(async () => {
  ({ tf } = await loadEngine('cpu'));
});

const gradient = (...values: readonly (readonly number[] | null)[]): LayersGradient =>
  values.map((of, i) => ({ name: `weight${i}`, tensor: of && tf.tensor(of, [of.length, 1]) }));

describe('mergeOnHost', () => {
  it('adds up by the weights, and has the inner products; what one of them lacks counts 0', async () => {
    const a = gradient([1, 2], [3], null, null);
    const b = gradient([4, -1], null, [8], null);
    const { total, products } = mergeOnHost(tf, [a, b], [0.25, 0.5]);
    // 1 + 4 + 9, 16 + 1 + 64 and 4 − 2.
    expect(await products.read()).toEqual([14, 81, 2]);
    expect(total.map(({ name }) => name)).toEqual(['weight0', 'weight1', 'weight2', 'weight3']);
    expect(total.map(({ tensor }) => tensor && [...tensor.dataSync()])).toEqual([
      [2.25, 0],
      [0.75],
      [4],
      null,
    ]);
    expect(total.map(({ tensor }) => tensor?.shape)).toEqual([[2, 1], [1, 1], [1, 1], undefined]);
    expect([...(a[0]?.tensor?.dataSync() ?? [])]).toEqual([1, 2]);
    tf.dispose([a, b, total].flat().flatMap(({ tensor }) => tensor ?? []));
  });

  it('adds squares up in double precision', async () => {
    // In single precision 4,096² + 1 is 4,096².
    const a = gradient([4096, 1]);
    const { total, products } = mergeOnHost(tf, [a, a], [1, 1]);
    expect(await products.read()).toEqual([16_777_217, 16_777_217, 16_777_217]);
    tf.dispose([a, total].flat().flatMap(({ tensor }) => tensor ?? []));
  });

  it('has a sum for a weight that is a number', () => {
    const one = (value: number): LayersGradient => [{ name: 'scale', tensor: tf.scalar(value) }];
    const [a, b] = [one(3), one(-1)];
    const { total } = mergeOnHost(tf, [a, b], [0.5, 0.5]);
    expect(total[0]?.tensor?.shape).toEqual([]);
    expect([...(total[0]?.tensor?.dataSync() ?? [])]).toEqual([1]);
    tf.dispose([a, b, total].flat().flatMap(({ tensor }) => tensor ?? []));
  });

  it('leaves nothing behind where a gradient cannot be read', () => {
    const [a, b] = [gradient([1, 2], [3]), gradient([4, 5], [6])];
    b[1]?.tensor?.dispose();
    const before = tf.memory().numTensors;
    expect(() => mergeOnHost(tf, [a, b], [0.5, 0.5])).toThrow('disposed');
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([...a, ...b.slice(0, 1)].flatMap(({ tensor }) => tensor ?? []));
  });

  it('leaves nothing but the sum', async () => {
    const [a, b] = [gradient([1, 2], [3]), gradient([4, 5], [6])];
    await expectNoLeak(tf, async () => {
      const { total, products } = mergeOnHost(tf, [a, b], [0.5, 0.5]);
      products.dispose();
      tf.dispose(total.flatMap(({ tensor }) => tensor ?? []));
      await Promise.resolve();
    });
    tf.dispose([a, b].flat().flatMap(({ tensor }) => tensor ?? []));
  });
});

describe('isMergedOnHost', () => {
  /** Native TensorFlow as far as it is known by. */
  const native = (isUsingGpuDevice: boolean) => {
    const call = () => undefined;
    const methods = ['executeOp', 'createTensor', 'deleteTensor', 'tensorDataSync'];
    const ofModels = ['loadSavedModel', 'deleteSavedModel', 'runSavedModel'];
    const binding = Object.fromEntries([...methods, ...ofModels].map((name) => [name, call]));
    const backend = { isUsingGpuDevice, binding, getInputTensorIds: call, createOutputTensor: call };
    return {
      getBackend: () => 'tensorflow',
      engine: () => ({ backend }) as unknown as ReturnType<LayersTf['engine']>,
    };
  };
  const on = (engine: Parameters<typeof isMergedOnHost>[0], ...sizes: readonly number[]) => {
    const zeros = sizes.map((size, i) => ({ name: `weight${i}`, tensor: tf.zeros([size]) }));
    const answer = isMergedOnHost(engine, [...zeros, { name: 'frozen', tensor: null }]);
    tf.dispose(zeros.map(({ tensor }) => tensor));
    return answer;
  };

  it('is for native TensorFlow without a GPU, up to 262,144 values in all', () => {
    expect(on(native(false), 262_000, 144)).toBe(true);
    expect(on(native(false), 262_000, 145)).toBe(false);
    expect(on(native(true), 10)).toBe(false);
    expect(on(tf, 10)).toBe(false);
  });
});
