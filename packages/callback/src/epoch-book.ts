import type { RunEvents } from '@batchwise/core';

type EpochEvent = Omit<RunEvents['epochFinished'], 'step' | 'epoch' | 'examples'>;

/** Counts one epoch of `fitDataset`. */
export class EpochBook {
  readonly #beganAt: number;
  readonly #parts: number;
  #endedAt: number | undefined;
  #partsDone = 0;
  #steps = 0;
  #examples = 0;
  #lossSum = 0;

  /** `parts` is the number of batches after which TensorFlow.js ends the epoch, as it counts them. */
  constructor(beganAt: number, parts: number) {
    this.#beganAt = beganAt;
    this.#parts = parts;
  }

  /** True once all of the epoch was trained on; what follows is validation. */
  get isOver(): boolean {
    return this.#endedAt !== undefined;
  }

  /** True once TensorFlow.js has had all of the batches that it counts; it asks for no other one to find the end. */
  get isFull(): boolean {
    return this.#partsDone >= this.#parts;
  }

  /** Examples that were trained on. */
  get examples(): number {
    return this.#examples;
  }

  countPart(): void {
    this.#partsDone += 1;
  }

  countStep(examples: number, loss: number): void {
    this.#steps += 1;
    this.#examples += examples;
    this.#lossSum += loss * examples;
  }

  end(now: number): void {
    this.#endedAt ??= now;
  }

  /** The epoch's event; its validation is in the logs and the History of TensorFlow.js. */
  close(now: number): { readonly event: EpochEvent; readonly evaluationSeconds: number } {
    const endedAt = this.#endedAt ?? now;
    const event = {
      complete: this.isOver,
      epochExamples: this.#examples,
      epochSteps: this.#steps,
      seconds: endedAt - this.#beganAt,
      trainLoss: this.#lossSum / this.#examples,
      validation: undefined,
    };
    return { event, evaluationSeconds: now - endedAt };
  }
}
