import type { SecondMoment } from '@batchwise/core';
import type { CompiledOptimizer } from './compiled-model.ts';
import { LearningRateKnob } from './learning-rate.ts';
import { MomentKnob } from './moment-knob.ts';
import type { Tf } from './tf.ts';
import { Velocity } from './velocity.ts';

/** How far an update goes from what the owner of the optimizer configured. */
export interface UpdateScale {
  /** The factor on the learning rate. */
  readonly learningRateScale: number;
  /** How many times as fast the averages of Adam and RMSProp forget. Default 1. */
  readonly momentDecayScale?: number | undefined;
}

/**
 * Scales an optimizer for one update at a time: its learning rate, what its averages forget by, and velocities that hold the
 * rate. An update is `set`, `follow` and `followed`, the update itself, and `restore`, also where it failed. In between the
 * optimizer shows the rate that its owner gave it; its averages have their own decay back when the run ends.
 */
export interface UpdateScaling {
  /** @throws TrainingError `invalidOptions` where the optimizer has no rate to set and `learningRateScale` is not 1 */
  set(scale: UpdateScale): void;
  /** Brings the velocities to the rate that is set: work on the device, which is part of the update. */
  follow(): void;
  /** What `follow` did stands: where an update that fails is taken back, once it has not. */
  followed(): void;
  /** Gives the optimizer its own rate back; safe to call twice. */
  restore(): void;
}

/** What a backend scales its optimizer with. */
export class OptimizerScale implements UpdateScaling {
  readonly #learningRate: LearningRateKnob;
  readonly #moments: MomentKnob;
  readonly #velocity: Velocity;
  #set = 1;

  constructor(tf: Tf, optimizer: CompiledOptimizer) {
    this.#learningRate = new LearningRateKnob(optimizer);
    this.#moments = new MomentKnob(optimizer);
    this.#velocity = new Velocity(tf, optimizer);
  }

  set({ learningRateScale, momentDecayScale = 1 }: UpdateScale): void {
    this.#learningRate.set(learningRateScale);
    this.#moments.set(momentDecayScale);
    this.#set = learningRateScale;
  }

  follow(): void {
    this.#velocity.follow(this.#set);
  }

  followed(): void {
    this.#velocity.scale = this.#set;
  }

  restore(): void {
    this.#learningRate.restore();
  }

  /** The factor on the learning rate that the velocities hold: belongs with a copy of them. */
  get held(): number {
    return this.#velocity.scale;
  }

  /** The velocities were written from a copy of when they held `held`; SGD's rate may be gone with its device. */
  written(held = this.held): void {
    this.#velocity.scale = held;
    this.#learningRate.renew();
  }

  /** What the optimizer is to go on with after the run: its own averages, and velocities at its own rate. */
  reset(): void {
    this.#moments.set(1);
    this.#velocity.follow(1);
    this.#velocity.scale = 1;
  }

  /** Adam's second-moment estimate as it is now; undefined for other optimizers. */
  secondMoment(): SecondMoment | undefined {
    return this.#moments.estimate();
  }
}
