import type { Awaitable, Clock } from '@batchwise/core';
import type { ProbedMemory } from './probe-memory.ts';

/** What is known of a fit before its first step, and what finding it out took. */
export class Beforehand {
  memory: ProbedMemory | undefined;
  /** Factor on the rate that a batch of so many examples is to have; undefined where nobody knows, or no controller was chosen yet. */
  rateOfSize: ((batchSize: number) => number | undefined) | undefined;
  #seconds = 0;

  /** Wall time of all that was timed. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Does the work and counts its time, also where it throws. */
  async timed<T>(clock: Clock, work: () => Awaitable<T>): Promise<T> {
    const startedAt = clock();
    try {
      return await work();
    } finally {
      this.#seconds += clock() - startedAt;
    }
  }
}
