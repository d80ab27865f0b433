import type { Clock } from '@batchwise/core';

/** A clock that stands still until it is told to move. Seconds. */
export interface FakeClock extends Clock {
  advance(seconds: number): void;
}

/** A clock that starts at `start` seconds. */
export function fakeClock(start = 0): FakeClock {
  let now = start;
  return Object.assign(() => now, {
    advance(seconds: number) {
      now += seconds;
    },
  });
}
