import { DataError } from './data-error.ts';

/** A timer that is set for longer goes off at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Aborts what waits too long for a server, or what the caller has given up. */
export class SilenceTimer {
  readonly signal: AbortSignal;
  readonly #silence = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(caller: AbortSignal | undefined) {
    this.signal =
      caller === undefined ? this.#silence.signal : AbortSignal.any([caller, this.#silence.signal]);
  }

  /** From now on at most `seconds` without another call, Infinity for ever; `what` is missing then, as in "no answer". */
  allow(seconds: number, what: string): void {
    this.stop();
    if (seconds === Infinity) return;
    const giveUp = () => this.#silence.abort(new DataError('downloadFailed', `${what} within ${seconds} s`));
    this.#timer = setTimeout(giveUp, Math.min(1000 * seconds, LONGEST_MS));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
