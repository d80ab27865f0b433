import type { Deferred } from './measurements.ts';

/** How many unread losses may wait on the device before they are read. */
const MAX_PENDING = 64;

/** The mean loss over examples, read late where nobody needs it at once: each read makes an asynchronous device wait. */
export class LossMeter {
  #pending: { loss: Deferred; examples: number }[] = [];
  #weightedSum = 0;
  #examples = 0;

  /** Examples behind the mean so far. */
  get examples(): number {
    return this.#pending.reduce((sum, { examples }) => sum + examples, this.#examples);
  }

  /** Counts a loss that is already known. */
  count(loss: number, examples: number): void {
    this.#weightedSum += loss * examples;
    this.#examples += examples;
  }

  /** Takes over a loss that is still on the device. */
  defer(loss: Deferred, examples: number): void {
    this.#pending.push({ loss, examples });
  }

  /** Reads them where too many wait. */
  async readMany(): Promise<void> {
    if (this.#pending.length >= MAX_PENDING) await this.#drain();
  }

  /** Mean since the last call, NaN where nothing was counted; starts anew. */
  async takeMean(): Promise<number> {
    await this.#drain();
    const mean = this.#weightedSum / this.#examples;
    this.#weightedSum = 0;
    this.#examples = 0;
    return mean;
  }

  /** Frees what was not read. */
  dispose(): void {
    for (const { loss } of this.#pending.splice(0)) loss.dispose();
  }

  async #drain(): Promise<void> {
    for (let next = this.#pending.shift(); next; next = this.#pending.shift())
      this.count(await next.loss.read(), next.examples);
  }
}
