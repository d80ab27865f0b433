import type { Backend, BackendSnapshot } from './backend.ts';
import type { BatchController, Decision } from './controller.ts';
import type { Json } from './json.ts';
import { TrainingError } from './training-error.ts';

/** Keeps the one copy of the weights that a controller may go back to. */
export class Snapshots<State extends Json> {
  readonly #backend: Pick<Backend<unknown, unknown>, 'name' | 'snapshot'>;
  readonly #controller: Pick<BatchController<State>, 'name' | 'restores'>;
  #latest: BackendSnapshot | undefined;
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
    await this.#take();
  }

  /** Does what the decision asks for, once. */
  async obey(decision: Decision<State>): Promise<void> {
    const { snapshot } = decision;
    if (snapshot === undefined || decision === this.#obeyed) return;
    if (snapshot === 'take') await this.#take();
    else await this.#restore();
    this.#obeyed = decision;
  }

  dispose(): void {
    this.#latest?.dispose();
    this.#latest = undefined;
  }

  async #take(): Promise<void> {
    const taken = await this.#backend.snapshot?.();
    this.dispose();
    this.#latest = taken;
  }

  async #restore(): Promise<void> {
    if (!this.#latest)
      throw new TrainingError(
        'invalidOptions',
        `${this.#controller.name} asks for weights that nobody kept.`,
        {
          hint: 'Set restores on the controller, and have its wrappers hand it on.',
        },
      );
    await this.#latest.restore();
  }
}
