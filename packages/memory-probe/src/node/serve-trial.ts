import type { Trial, TrialOutcome, TrialRequest } from '../trial.ts';

/** The part of `process` that is the channel to the process that asks. */
export interface TrialChannel {
  once(event: 'message', listener: (request: Omit<TrialRequest, 'signal'>) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
  send?(outcome: TrialOutcome): unknown;
  exit?(code: number): unknown;
  /** Of Node: whoever listens to it is kept alive, unless it is told not to be. */
  readonly channel?: { unref(): void };
}

/**
 * The other end of `isolatedTrial`, called by the program it starts: answers the one request that comes. What the trial
 * throws is answered as the error that it is; an error whose `code` is `outOfMemory`, as an engine throws that did not
 * survive, is too big. Ends the program once the process that asks is gone.
 * @throws TypeError where nobody can ask: the program was not started by `isolatedTrial`
 */
export function serveTrial(trial: Trial, channel: TrialChannel = process): void {
  if (!channel.send) throw new TypeError('This program serves a trial; it is started by isolatedTrial.');
  // A trial that never returns would keep its memory for good.
  channel.once('disconnect', () => channel.exit?.(1));
  channel.once('message', (request) => {
    // A trial that waits for nothing ends the program, as it does where nobody listens.
    channel.channel?.unref();
    void answer(trial, request).then((outcome) => channel.send?.(outcome));
  });
}

async function answer(trial: Trial, request: Omit<TrialRequest, 'signal'>): Promise<TrialOutcome> {
  try {
    return await trial({ ...request, signal: undefined });
  } catch (error) {
    if (!(error instanceof Error)) return { kind: 'error', message: String(error) };
    const message = `${error.name}: ${error.message}`;
    const isFull = 'code' in error && error.code === 'outOfMemory';
    return isFull ? { kind: 'tooBig', limit: 'memory', message } : { kind: 'error', message };
  }
}
