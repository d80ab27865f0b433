import type { Backend, BackendSnapshot } from './backend.ts';
import type { BatchController, Decision } from './controller.ts';
import type { Json } from './json.ts';
import { TrainingError } from './training-error.ts';

/** Keeps the copy of the weights that a controller may go back to, and the one that may take its place. */
export class Snapshots<State extends Json> {
  readonly #backend: Pick<Backend<unknown, unknown>, 'name' | 'snapshot'>;
  readonly #controller: Pick<BatchController<State>, 'name' | 'restores'>;
  #kept: BackendSnapshot | undefined;
  #taken: BackendSnapshot | undefined;
  #obeyed: Decision<State> | undefined;

  constructor(
    backend: Pick<Backend<unknown, unknown>, 'name' | 'snapshot'>,
    controller: Pick<BatchController<State>, 'name' | 'restores'>,
  ) {
    this.#backend = backend;
    this.#controller = controller;
  }

  /**
   * The first copy, where the controller may want one.
   * @throws TrainingError `cannotMeasure` where the backend has none to give
   */
  async open(): Promise<void> {
    const { restores, name } = this.#controller;
    if (!restores) return;
    if (!this.#backend.snapshot)
      throw new TrainingError('cannotMeasure', `${name} needs to restore weights.`, {
        hint: `Backend ${this.#backend.name} has no snapshot; take a controller without a guard.`,
      });
    this.#kept = await this.#backend.snapshot();
  }

  /** Does what the decision asks for, once. */
  async obey(decision: Decision<State>): Promise<void> {
    const { snapshot } = decision;
    if (snapshot === undefined || decision === this.#obeyed) return;
    if (snapshot === 'take') await this.#take();
    else if (snapshot === 'keep') this.#keep();
    else await this.#restore();
    this.#obeyed = decision;
  }

  dispose(): void {
    this.#drop();
    this.#kept?.dispose();
    this.#kept = undefined;
  }

  #drop(): void {
    this.#taken?.dispose();
    this.#taken = undefined;
  }

  async #take(): Promise<void> {
    const taken = await this.#backend.snapshot?.();
    this.#drop();
    this.#taken = taken;
  }

  /** Where a resumed run has none to keep, the one that it began with is later. */
  #keep(): void {
    if (!this.#taken) return;
    this.#kept?.dispose();
    this.#kept = this.#taken;
    this.#taken = undefined;
  }

  async #restore(): Promise<void> {
    this.#drop();
    if (!this.#kept)
      throw new TrainingError(
        'invalidOptions',
        `${this.#controller.name} asks for weights that nobody kept.`,
        {
          hint: 'Set restores on the controller, and have its wrappers hand it on.',
        },
      );
    await this.#kept.restore();
  }
}
