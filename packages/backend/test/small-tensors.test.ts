import type { MemoryMeter } from '@batchwise/memory-probe';
import { describe, expect, it } from 'vitest';
import { memoryTrial } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { SmallTensors } from '../src/small-tensors.ts';
import type { Tf } from '../src/tf.ts';
import { batchOf, classifier } from './models.ts';
import { rowsOf } from './runs.ts';

const { tf } = await loadEngine('cpu');

/** An allocator that always says 1,000 now and 5,000 at its peak. */
const allocator = (source = 'allocator mklcpu'): MemoryMeter => ({
  source,
  certainty: 'upperBound',
  begin: () => undefined,
  read: () => ({ bytesInUse: 1000, peakBytes: 5000 }),
});

/** An engine that makes data of so many bytes, and whose kernels give each result data of its own, as on Node. */
function engineOfBlocks() {
  const tensorInfo = new WeakMap<object, { readonly bytes: number }>();
  const engine = {
    state: { tensorInfo },
    trackTensor: (() => undefined) as (tensor: object, backend: unknown) => void,
    removeDataId: ((dataId) => void tensorInfo.delete(dataId)) as (dataId: object, backend: unknown) => void,
    runKernel: (_name: string, _inputs: object, make: () => object) => make(),
  };
  const make = (bytes: number): object => {
    const dataId = {};
    tensorInfo.set(dataId, { bytes });
    engine.trackTensor({ dataId }, undefined);
    return dataId;
  };
  const view = (name: string, inputs: Record<string, { dataId: object }>, bytes: number): object =>
    engine.runKernel(name, inputs, () => {
      engine.removeDataId(make(8), undefined);
      return make(bytes);
    });
  const free = (dataId: object) => engine.removeDataId(dataId, undefined);
  return { tf: { engine: () => engine } as unknown as Pick<Tf, 'engine'>, make, view, free };
}

describe('SmallTensors', () => {
  it.each([
    ['Reshape', 'x'],
    ['ExpandDims', 'input'],
  ])('counts the result of %s with what it was made of: both have one block', async (name, input) => {
    const { tf, make, view, free } = engineOfBlocks();
    const meter = new SmallTensors(tf, allocator());
    meter.attach();
    const first = make(700);
    await meter.begin();
    const second = view(name, { [input]: { dataId: first } }, 700);
    const third = view(name, { [input]: { dataId: second } }, 700);
    // The shape, of 8 bytes, was there for a while.
    expect(await meter.read()).toEqual({ bytesInUse: 1700, peakBytes: 5708 });
    free(first);
    free(third);
    expect(await meter.read()).toMatchObject({ bytesInUse: 1700 });
    free(second);
    expect(await meter.read()).toMatchObject({ bytesInUse: 1000 });
  });

  it('counts what other kernels make, and nothing that shares a block from before', async () => {
    const { tf, make, view } = engineOfBlocks();
    const before = make(700);
    const meter = new SmallTensors(tf, allocator());
    meter.attach();
    view('Reshape', { x: { dataId: before } }, 700);
    expect(await meter.read()).toMatchObject({ bytesInUse: 1000 });
    view('Tanh', { x: { dataId: before } }, 700);
    expect(await meter.read()).toMatchObject({ bytesInUse: 1700 });
    meter.detach();
    make(700);
    expect(await meter.read()).toMatchObject({ bytesInUse: 1000 });
  });

  it.each([
    // 9000 alone, then 700 with nothing, then 8500 with 700.
    ['at once', (value: number) => ({ bytesInUse: 0, peakBytes: value }), [9000, 9000, 9200]],
    // The most of each since the beginning.
    ['later', (value: number) => Promise.resolve({ bytesInUse: 0, peakBytes: value }), [9000, 9700, 9700]],
  ])('adds up what was in use together where the allocator answers %s', async (_when, answer, peaks) => {
    const { tf, make, free } = engineOfBlocks();
    let peakBytes = 0;
    const meter = new SmallTensors(tf, {
      ...allocator(),
      begin: () => void (peakBytes = 0),
      read: () => answer(peakBytes),
    });
    meter.attach();
    await meter.begin();
    peakBytes = 9000;
    expect(await meter.read()).toMatchObject({ peakBytes: peaks[0] });
    const small = make(700);
    expect(await meter.read()).toMatchObject({ peakBytes: peaks[1] });
    peakBytes = Math.max(peakBytes, 8500);
    free(small);
    expect(await meter.read()).toMatchObject({ peakBytes: peaks[2] });
    await meter.begin();
    expect(await meter.read()).toMatchObject({ peakBytes: 0 });
  });

  it('adds tensors below 256 KiB to what the allocator counts, each once', async () => {
    const before = tf.tensor1d([1, 2, 3]);
    const meter = new SmallTensors(tf, allocator());
    meter.attach();
    await meter.begin();
    const small = tf.zeros([65_535]);
    const same = small.clone();
    const large = tf.zeros([65_536]);
    small.dispose();
    expect(await meter.read()).toEqual({
      bytesInUse: 1000 + 262_140,
      peakBytes: 5000 + 262_140,
    });
    same.dispose();
    expect(await meter.read()).toEqual({ bytesInUse: 1000, peakBytes: 5000 + 262_140 });
    await meter.begin();
    expect(await meter.read()).toEqual({ bytesInUse: 1000, peakBytes: 5000 });
    meter.detach();
    tf.dispose([before, large]);
  });

  it('knows nothing where the allocator does not', async () => {
    const meter = new SmallTensors(tf, { ...allocator(), read: () => null });
    expect(await meter.read()).toBeNull();
  });

  it.each([
    ['allocator mklcpu', 'allocator mklcpu and small tensors'],
    ['allocator GPU_0_bfc', 'allocator GPU_0_bfc'],
  ])('is used in trials that are metered by %s, or not', async (source, used) => {
    const engine = tf.engine() as unknown as { trackTensor: unknown; removeDataId: unknown };
    const { trackTensor, removeDataId } = engine;
    const trial = memoryTrial(tf, classifier(tf, 'sgd'), {
      source: rowsOf(batchOf(16)),
      meter: allocator(source),
    });
    const request = { batchSize: 8, referenceSize: null, predictedPeakBytes: null, signal: undefined };
    expect(await trial(request)).toMatchObject({ kind: 'trained', peak: { source: used } });
    expect([engine.trackTensor, engine.removeDataId]).toEqual([trackTensor, removeDataId]);
  });
});
