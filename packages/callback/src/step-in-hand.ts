import type { UpdateScale } from '@batchwise/backend';
import type { BatchPlan, Clock, GradientMoments } from '@batchwise/core';
import type { FeedBatch, Piece, PieceTensors } from './feed.ts';
import type { NamedGradients } from './fitted-model.ts';
import { freeAll } from './leak-guard.ts';
import type { Apply } from './optimizer-tap.ts';
import { StepGradient, type GradientMaths } from './step-gradient.ts';
import { partSize } from './tuning-session.ts';

/** How a step is to be run. */
export interface StepSettings {
  readonly plan: BatchPlan;
  /**
   * What shows how noisy the gradients are: the batch itself, which is then split, or another beside the update. A step
   * without it is not measured.
   */
  readonly measuredOn: FeedBatch | undefined;
  /** The whole factor on the learning rate for so many examples. */
  readonly learningRateScale: (examples: number) => number;
  readonly maths: GradientMaths;
  readonly clock: Clock;
  readonly startedAt: number;
}

interface PieceInHand {
  readonly examples: number;
  readonly tensors: PieceTensors;
  /** Of the noise batch: there to be measured, and not applied. */
  readonly isApart: boolean;
  trained: boolean;
}

/**
 * One update on the way through `fitDataset`. A batch goes there whole, or in parts one after the other: then the
 * gradients of all but the last are held back, and the last applies their mean. A noise batch goes before them, and
 * nothing of it is applied. All parts see the same weights.
 */
export class StepInHand {
  readonly size: number;
  /** Examples of the largest part. */
  readonly microBatchSize: number;
  readonly #settings: StepSettings;
  readonly #apart: Piece[];
  readonly #waiting: Piece[];
  /** Undefined where the batch goes in one part, whose gradient is applied as it is. */
  readonly #gradient: StepGradient | undefined;
  readonly #noise: StepGradient | undefined;
  #inHand: PieceInHand | undefined;
  #startedAt: number;
  #lossSum = 0;
  #applied = false;

  constructor(batch: FeedBatch, settings: StepSettings) {
    const { plan, measuredOn, maths, clock, startedAt } = settings;
    const measured = measuredOn === batch;
    const noiseBatch = measured ? undefined : measuredOn;
    this.size = batch.size;
    this.microBatchSize = partSize(batch.size, plan, measured);
    this.#startedAt = startedAt;
    this.#settings = settings;
    this.#waiting = [...batch.pieces(this.microBatchSize)];
    const parts = { size: batch.size, count: this.#waiting.length };
    this.#apart = noiseBatch ? [...noiseBatch.pieces(partSize(noiseBatch.size, plan, true))] : [];
    const apart = { size: noiseBatch?.size ?? 0, count: this.#apart.length };
    if (apart.count > 1) this.#noise = new StepGradient(maths, apart, { clock });
    if (parts.count > 1) this.#gradient = new StepGradient(maths, parts, measured ? { clock } : undefined);
  }

  /** So long ago that the time since then is what the step took. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** True once the update was made. */
  get isDone(): boolean {
    return this.#applied && this.#inHand === undefined;
  }

  /** True while a part is on the device. */
  get isTraining(): boolean {
    return this.#inHand !== undefined;
  }

  /** Mean over the examples; NaN unless that of each part was added. */
  get loss(): number {
    return this.#lossSum / this.size;
  }

  get measuringSeconds(): number {
    return (this.#noise ?? this.#gradient)?.measuringSeconds ?? 0;
  }

  /** Called once, before the first part: what a weight penalty adds to the gradients of a measured step is no noise. */
  async open(): Promise<void> {
    await (this.#noise ?? this.#gradient)?.open();
  }

  /** Leaves out time in which it had to wait for something else. */
  postpone(seconds: number): void {
    this.#startedAt += seconds;
  }

  /** Puts the next part on the device. */
  upload(): PieceTensors {
    const apart = this.#apart.shift();
    const piece = apart ?? this.#waiting.shift();
    if (!piece) throw new Error('unreachable: a step is over with its last part');
    const tensors = piece.upload();
    this.#inHand = { examples: piece.examples, tensors, isApart: apart !== undefined, trained: false };
    return tensors;
  }

  /** Takes the gradient of the part in hand; false where there is none, so that it is somebody else's. */
  train(gradients: NamedGradients, apply: Apply): boolean {
    const piece = this.#inHand;
    if (!piece || piece.trained) return false;
    piece.trained = true;
    (piece.isApart ? this.#noise : this.#gradient)?.add(gradients, piece.examples);
    if (this.#waiting.length > 0) return true;
    const scale = this.#scaleFor(this.size);
    if (this.#gradient) this.#gradient.spend((mean) => apply(mean, scale));
    else apply(gradients, scale);
    this.#applied = true;
    return true;
  }

  /** The part in hand is through; `loss` is its mean. False where nobody trained on it. */
  partDone(loss: number): boolean {
    const piece = this.#inHand;
    this.#inHand = undefined;
    if (piece && !piece.isApart) this.#lossSum += loss * piece.examples;
    return piece?.trained ?? false;
  }

  /**
   * Applies what was held back of a step that will not be finished, at its share of the rate.
   * @returns examples that were trained on; 0 where nothing was held back
   */
  applyRest(apply: Apply): number {
    const { maths } = this.#settings;
    const examples = this.#applied ? 0 : (this.#gradient?.examples ?? 0);
    this.#gradient?.spend((sum) => {
      const copy = sum.map(({ name, tensor }) => ({ name, tensor: tensor?.clone() ?? null }));
      const mean = maths.accumulate(undefined, copy, this.size / examples);
      try {
        apply(mean, this.#scaleFor(examples));
      } finally {
        maths.release(mean);
      }
    });
    return examples;
  }

  #scaleFor(examples: number): UpdateScale {
    const { plan, learningRateScale } = this.#settings;
    return { learningRateScale: learningRateScale(examples), momentDecayScale: plan.momentDecayScale };
  }

  /** The inner products of a measured step. */
  async moments(): Promise<GradientMoments | undefined> {
    return (this.#noise ?? this.#gradient)?.moments();
  }

  /** Frees what is still on the device; what was trained on was freed by TensorFlow.js. */
  dispose(): void {
    this.#gradient?.dispose();
    this.#noise?.dispose();
    for (const piece of [...this.#apart.splice(0), ...this.#waiting.splice(0)]) piece.dispose();
    if (this.#inHand) freeAll([...this.#inHand.tensors.xs, ...this.#inHand.tensors.ys]);
  }
}
