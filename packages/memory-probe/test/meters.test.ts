import { describe, expect, it } from 'vitest';
import { allocatorMeter, backendMeter } from '../src/index.ts';

describe('allocatorMeter', () => {
  const reader = (resets: boolean) => ({
    asked: [] as string[],
    read(device: string) {
      this.asked.push(device);
      return { allocator: 'GPU_0_bfc', currentBytes: 70, peakBytes: 90 };
    },
    resetPeak: () => resets,
  });

  it('reads one device', async () => {
    const statistics = reader(true);
    const meter = allocatorMeter(statistics, 'GPU:0');
    expect(meter).toMatchObject({ source: 'allocator GPU_0_bfc', certainty: 'upperBound' });
    expect(await meter?.read()).toEqual({ bytesInUse: 70, peakBytes: 90 });
    expect(new Set(statistics.asked)).toEqual(new Set(['GPU:0']));
  });

  it('is not there without statistics, or without a peak of its own', () => {
    expect(allocatorMeter({ read: () => undefined, resetPeak: () => true }, 'CPU:0')).toBeUndefined();
    expect(allocatorMeter(reader(false), 'GPU:0')).toBeUndefined();
  });
});

describe('backendMeter', () => {
  const backend = (source: string) => ({
    runs: 0,
    memory: () => ({ bytesInUse: 70, peakBytes: 90, source }),
    endRun() {
      this.runs += 1;
    },
  });

  it('begins a peak within a run where the backend can', async () => {
    let peaks = 0;
    const own = Object.assign(backend('engine'), { resetPeak: () => void (peaks += 1) });
    await backendMeter(own).begin();
    expect([peaks, own.runs]).toEqual([1, 0]);
  });

  it('begins a peak with the end of a run', async () => {
    const metered = backend('engine');
    const meter = backendMeter(metered);
    await meter.begin();
    expect(metered.runs).toBe(1);
    expect(await meter.read()).toMatchObject({ bytesInUse: 70, peakBytes: 90 });
  });

  it.each([
    ['buffers', 'exact'],
    ['engine', 'unknown'],
  ])('takes %s for %s', (source, certainty) =>
    expect(backendMeter(backend(source))).toMatchObject({ source, certainty }),
  );
});
