import type { MemoryMeter } from '@batchwise/memory-probe';

/** A meter that also tells how long the metered step took. */
export interface StepTimer {
  readonly meter: MemoryMeter;
  /** Of the last step that was metered to its end, seconds; null before, and after a step that failed. */
  readonly seconds: () => number | null;
}

/**
 * A trial begins a new peak before its last step and reads it after that step, when the device is done: between the two
 * is one step that is not the first.
 * @param clock seconds from any fixed origin
 */
export function stepTimer(meter: MemoryMeter, clock: () => number): StepTimer {
  let begunAt = 0;
  let seconds: number | null = null;
  const timed: MemoryMeter = {
    source: meter.source,
    certainty: meter.certainty,
    begin: async () => {
      await meter.begin();
      seconds = null;
      begunAt = clock();
    },
    read: () => {
      seconds = clock() - begunAt;
      return meter.read();
    },
  };
  return { meter: timed, seconds: () => seconds };
}
