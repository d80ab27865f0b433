/** Ctrl-C while training: the first one ends the run after the step in hand, a second one ends the program. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Takes the hands off the signals. */
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export function watchInterrupt(): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error('Interrupted.'));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    close: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
