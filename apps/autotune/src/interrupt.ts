/** Ctrl-C while working: the first one ends the run after the step in hand, a second one ends the program. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Takes the hands off the signals. */
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** One Ctrl-C arrives twice where npm is in between: from the terminal, and passed on by npm. */
const SAME_KEY_MS = 400;

export function watchInterrupt(): Interrupt {
  const controller = new AbortController();
  let first = 0;
  const onSignal = (): void => {
    if (controller.signal.aborted && performance.now() - first > SAME_KEY_MS) process.exit(130);
    first ||= performance.now();
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
