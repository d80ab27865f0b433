import type { Trial, TrialOutcome, TrialRequest } from '../trial.ts';

/** The part of `process` that is the channel to the process that asks. */
export interface TrialChannel {
  once(event: 'message', listener: (request: Omit<TrialRequest, 'signal'>) => void): unknown;
  send?(outcome: TrialOutcome): unknown;
}

/**
 * The other end of `isolatedTrial`, called by the program it starts: answers the one request that comes. What the trial
 * throws is answered as the error that it is.
 * @throws TypeError where nobody can ask: the program was not started by `isolatedTrial`
 */
export function serveTrial(trial: Trial, channel: TrialChannel = process): void {
  if (!channel.send) throw new TypeError('This program serves a trial; it is started by isolatedTrial.');
  channel.once('message', (request) => {
    void answer(trial, request).then((outcome) => channel.send?.(outcome));
  });
}

async function answer(trial: Trial, request: Omit<TrialRequest, 'signal'>): Promise<TrialOutcome> {
  try {
    return await trial({ ...request, signal: undefined });
  } catch (error) {
    return {
      kind: 'error',
      message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    };
  }
}
