import type { Awaitable } from './json.ts';
import type { Observer, RunEvents } from './run-events.ts';
import { TrainingError } from './training-error.ts';

/** Sends one event to every observer, in their order. */
export type Tell = <Event extends keyof RunEvents>(event: Event, payload: RunEvents[Event]) => Promise<void>;

type Hook<Event extends keyof RunEvents> = (event: RunEvents[Event]) => Awaitable<void>;

/**
 * An observer that throws ends the run, and the error carries its name: a silent observer helps nobody. The others are
 * told all the same.
 */
export function broadcastTo(observers: readonly Observer[]): Tell {
  return async <Event extends keyof RunEvents>(event: Event, payload: RunEvents[Event]) => {
    const hook = `on${event.charAt(0).toUpperCase()}${event.slice(1)}`;
    let failure: TrainingError | undefined;
    for (const observer of observers) {
      // The name of a hook is made from its event, which TypeScript cannot follow through a template string.
      const call = (observer as unknown as Record<string, Hook<Event> | undefined>)[hook];
      try {
        await call?.call(observer, payload);
      } catch (cause) {
        failure ??= new TrainingError(
          'observerFailed',
          `Observer "${observer.name}" threw in ${hook}: ${cause}.`,
          {
            hint: 'Mend or remove that observer; the model keeps the steps that were applied.',
            cause,
          },
        );
      }
    }
    if (failure) throw failure;
  };
}
