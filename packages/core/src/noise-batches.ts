import type { Measurement } from './controller.ts';
import type { RunBook } from './run-book.ts';
import type { BatchCursor, BatchSource } from './source.ts';

/** What a step measures. */
export interface MeasuredOn<Batch> {
  readonly measure: ReadonlySet<Measurement>;
  /** What the gradient is measured on; the batch of the step where there is none. */
  readonly noiseBatch?: Batch | undefined;
}

/** Batches to measure gradients on, where those of the source are no independent draws. */
export class NoiseBatches<Batch> {
  readonly #independent: BatchSource<Batch> | undefined;
  #open: { readonly epoch: number; readonly cursor: BatchCursor<Batch> } | undefined;
  /** A step that is tried again is measured on the same examples. */
  #latest: { readonly step: number; readonly batch: Batch | undefined } | undefined;

  constructor({ independent }: BatchSource<Batch>) {
    this.#independent = independent;
  }

  /**
   * What the coming step measures, and on what. Where independent draws are needed and the epoch has none left, that is
   * no gradient.
   * @param at where the run stands: the order for measuring is read from there on
   */
  async prepare(
    measurements: readonly Measurement[],
    { examples, at }: { readonly examples: number; readonly at: RunBook['place'] },
  ): Promise<MeasuredOn<Batch>> {
    const measure = new Set(measurements);
    if (!this.#independent || !measure.has('gradient')) return { measure };
    if (this.#latest?.step !== at.step)
      this.#latest = { step: at.step, batch: await this.#cursor(this.#independent, at).take(examples) };
    const { batch } = this.#latest;
    if (batch === undefined) measure.delete('gradient');
    return { measure, noiseBatch: batch };
  }

  #cursor(
    independent: BatchSource<Batch>,
    { epoch, examplesIntoEpoch }: RunBook['place'],
  ): BatchCursor<Batch> {
    if (this.#open?.epoch !== epoch)
      this.#open = { epoch, cursor: independent.epoch(epoch, examplesIntoEpoch) };
    return this.#open.cursor;
  }
}
