import { train } from '@batchwise/core';
import { fixed } from '@batchwise/tuner';

/** A training loop that waits for its turns. */
export class LoopArm {
  #steps = 0;
  #until = 0;
  #started = 0;
  #goOn = () => undefined;
  #done = () => undefined;
  #stop = new AbortController();

  constructor(backend, source, batchSize) {
    const observer = { name: 'turns', onStepFinished: () => this.#finished() };
    this.run = train({
      backend,
      source,
      controller: fixed(batchSize),
      stop: { epochs: 1e6 },
      observers: [observer],
      signal: this.#stop.signal,
    });
  }

  /** Milliseconds per step of so many more. */
  turn(steps) {
    this.#until = this.#steps + steps;
    this.#started = performance.now();
    const finished = new Promise((resolve) => (this.#done = () => resolve()));
    this.#goOn();
    return finished.then(() => (performance.now() - this.#started) / steps);
  }

  async end() {
    this.#stop.abort();
    this.#goOn();
    await this.run;
  }

  #finished() {
    this.#steps += 1;
    if (this.#steps < this.#until || this.#stop.signal.aborted) return undefined;
    this.#done();
    return new Promise((resolve) => (this.#goOn = () => resolve()));
  }
}
