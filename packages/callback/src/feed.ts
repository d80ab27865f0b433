import type { ArrayBatch, Rows } from '@batchwise/backend';
import { TrainingError, type Awaitable, type Backend, type BatchSource } from '@batchwise/core';
import type { Tensor, Tf } from './tf.ts';

/** Inputs and targets in the model's order, as `fitDataset` takes and disposes them. */
export interface PieceTensors {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
}

/** The examples of one update of `fitDataset`: a batch, or a part of one. */
export interface Piece {
  readonly examples: number;
  /** Puts them on the device, once. */
  upload(): PieceTensors;
  /** Frees what was not uploaded. */
  dispose(): void;
}

/** Consecutive examples that can be cut in pieces. */
export interface FeedBatch {
  readonly size: number;
  /** Pieces of `size` examples each, the last one smaller where it does not divide. */
  pieces(size: number): readonly Piece[];
}

/** A position in one epoch. */
export interface FeedCursor {
  /** At most `count` examples, undefined once the epoch is over. */
  take(count: number): Promise<FeedBatch | undefined>;
}

/** Where the examples of a `fitDataset` come from. */
export interface Feed {
  /** Examples per epoch; undefined where nobody knows. */
  readonly size: number | undefined;
  /** Whether one epoch follows the other where TensorFlow.js counts batches (`batchesPerEpoch`). */
  readonly repeats: boolean;
  /** `startAt` skips that many examples, where the feed knows how. */
  epoch(index: number, startAt?: number): Awaitable<FeedCursor>;
  /** As `BatchSource.independent`. */
  readonly independent?: Feed | undefined;
  /** Examples for trials of memory: other cursors over the same, or copies of one. */
  forTrials(): Awaitable<BatchSource<ArrayBatch> | undefined>;
  /** Frees what the feed itself has on the device. */
  dispose(): void;
}

/** How batches are counted and cut. */
type Cutter = Pick<Backend<ArrayBatch, unknown>, 'sizeOf' | 'split'>;

const listOf = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];

/** The batches of a source of Batchwise; `made` are tensors behind it that the feed is to free. */
export function sourceFeed(
  tf: Tf,
  source: BatchSource<ArrayBatch>,
  { cutter, made }: { readonly cutter: Cutter; readonly made: readonly Tensor[] },
): Feed {
  const upload = (rows: Rows): Tensor =>
    'indices' in rows
      ? tf.tidy(() => tf.gather(rows.tensor, tf.tensor(rows.indices)))
      : tf.tensor(rows.data, [...rows.shape]);
  const piece = (batch: ArrayBatch): Piece => ({
    examples: cutter.sizeOf(batch),
    upload: () => ({ xs: listOf(batch.xs).map(upload), ys: listOf(batch.ys).map(upload) }),
    dispose: () => undefined,
  });
  return {
    size: source.size,
    repeats: true,
    independent: source.independent && sourceFeed(tf, source.independent, { cutter, made: [] }),
    epoch(index, startAt) {
      const cursor = source.epoch(index, startAt);
      return {
        async take(count) {
          const batch = await cursor.take(count);
          if (!batch) return undefined;
          refuseWeights(batch);
          return { size: cutter.sizeOf(batch), pieces: (size) => cutter.split(batch, size).map(piece) };
        },
      };
    },
    forTrials: () => source,
    dispose: () => tf.dispose([...made]),
  };
}

function refuseWeights({ weights }: ArrayBatch): void {
  if (weights === undefined) return;
  throw new TrainingError('invalidOptions', 'fitDataset of TensorFlow.js has no weights for examples.', {
    hint: 'Use fit of @batchwise/callback, which has sampleWeight, or a source without weights.',
  });
}
