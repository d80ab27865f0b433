import type { MemoryMeter } from '@batchwise/memory-probe';
import { describe, expect, it } from 'vitest';
import { memoryTrial } from '../src/index.ts';
import { loadEngine } from '../src/node/index.ts';
import { SmallTensors } from '../src/small-tensors.ts';
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

describe('SmallTensors', () => {
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
