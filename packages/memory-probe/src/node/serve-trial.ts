import type { Trial, TrialOutcome, TrialRequest } from '../trial.ts';

/** The part of `process` that is the channel to the process that asks. */
export interface TrialChannel {
  once(event: 'message', listener: (request: Omit<TrialRequest, 'signal'>) => void): unknown;
  send?(outcome: TrialOutcome): unknown;
}

/**
 * The other end of `isolatedTrial`, called by the program it starts: answers the one request that comes. What the trial
 * throws is answered as the error that it is; an error whose `code` is `outOfMemory`, as an engine throws that did not
 * survive, is too big.
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
    if (!(error instanceof Error)) return { kind: 'error', message: String(error) };
    const message = `${error.name}: ${error.message}`;
    const isFull = 'code' in error && error.code === 'outOfMemory';
    return isFull ? { kind: 'tooBig', limit: 'memory', message } : { kind: 'error', message };
  }
}
