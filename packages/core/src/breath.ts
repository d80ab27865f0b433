import type { Clock } from './clock.ts';

declare const setImmediate: ((callback: () => void) => void) | undefined;
declare const setTimeout: (callback: () => void, milliseconds: number) => void;

/** Longest time without letting the host handle its events. */
const MAX_HELD_SECONDS = 0.05;

/**
 * On a synchronous engine a whole run is one chain of microtasks, in which no timer, no key press and no Ctrl-C is
 * ever handled. A breath now and then is what makes an abort possible.
 */
export class Breath {
  readonly #clock: Clock;
  #last: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = clock();
  }

  /** Lets the host handle its events if it has waited long enough. */
  async take(): Promise<void> {
    if (this.#clock() - this.#last < MAX_HELD_SECONDS) return;
    await new Promise<void>((resolve) => {
      if (typeof setImmediate === 'function') setImmediate(resolve);
      else setTimeout(resolve, 0);
    });
    this.#last = this.#clock();
  }
}
