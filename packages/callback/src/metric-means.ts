import type { Deferred } from '@batchwise/core';
import type { Logs } from './tf.ts';

/** How many steps may wait on the device before they are read. */
const MAX_WAITING = 64;

interface Part {
  readonly metrics: Readonly<Record<string, Deferred>>;
  readonly examples: number;
}

/** Means of the metrics of training over examples, read late where nobody needs them at once. */
export class MetricMeans {
  /** Of the step in hand, and of steps that were applied. */
  readonly #inHand: Part[] = [];
  readonly #waiting: Part[] = [];
  #total = emptySum();

  /** Takes over the metrics of one micro-batch. */
  readonly add = (metrics: Part['metrics'], examples: number): void =>
    void this.#inHand.push({ metrics, examples });

  /** The step in hand was not applied. */
  drop(): void {
    dispose(this.#inHand.splice(0));
  }

  /** The step in hand was applied: its means where `wanted`, otherwise they may wait. */
  async applied(wanted: boolean): Promise<Logs> {
    if (wanted) return meansOf(await this.#read(this.#inHand));
    this.#waiting.push(...this.#inHand.splice(0));
    if (this.#waiting.length >= MAX_WAITING) await this.#read(this.#waiting);
    return {};
  }

  /** Means since the last call; starts anew. */
  async take(): Promise<Logs> {
    await this.#read(this.#waiting);
    const means = meansOf(this.#total);
    this.#total = emptySum();
    return means;
  }

  dispose(): void {
    this.drop();
    dispose(this.#waiting.splice(0));
  }

  /** Reads and forgets parts; their sum, which is in the total too. */
  async #read(parts: Part[]): Promise<Sum> {
    const read = emptySum();
    for (let part = parts.shift(); part; part = parts.shift()) {
      const { metrics, examples } = part;
      for (const [name, metric] of Object.entries(metrics)) {
        const value = (await metric.read()) * examples;
        for (const { values } of [read, this.#total]) values[name] = (values[name] ?? 0) + value;
      }
      for (const sum of [read, this.#total]) sum.examples += examples;
    }
    return read;
  }
}

/** Σ value · examples, by name. */
interface Sum {
  readonly values: Record<string, number>;
  examples: number;
}

const emptySum = (): Sum => ({ values: {}, examples: 0 });

const meansOf = ({ values, examples }: Sum): Logs =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value / examples]));

function dispose(parts: readonly Part[]): void {
  for (const { metrics } of parts) for (const value of Object.values(metrics)) value.dispose();
}
