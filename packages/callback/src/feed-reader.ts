import type { Feed, FeedBatch, FeedCursor } from './feed.ts';

/** Which epoch of a feed is read, and what comes after it. */
export interface ReaderOptions {
  /** The epoch that is trained; asked for at the first read, since `fitDataset` opens one iterator more than it reads. */
  readonly epoch: () => number;
  /** Whether TensorFlow.js counts the batches of an epoch, so that the data must not end. */
  readonly countsBatches: boolean;
}

/** A place in the data, one for each iterator of `fitDataset`. */
export class FeedReader {
  readonly #feed: Feed;
  readonly #options: ReaderOptions;
  #cursor: FeedCursor | undefined;
  #epoch = 0;

  constructor(feed: Feed, options: ReaderOptions) {
    this.#feed = feed;
    this.#options = options;
  }

  /** At most `count` examples, undefined once they are over. */
  async take(count: number): Promise<FeedBatch | undefined> {
    const batch = await (this.#cursor ?? (await this.#open(this.#options.epoch()))).take(count);
    if (batch || !this.#feed.repeats || !this.#options.countsBatches) return batch;
    return (await this.#open(this.#epoch + 1)).take(count);
  }

  async #open(epoch: number): Promise<FeedCursor> {
    this.#epoch = epoch;
    this.#cursor = await this.#feed.epoch(epoch);
    return this.#cursor;
  }
}
