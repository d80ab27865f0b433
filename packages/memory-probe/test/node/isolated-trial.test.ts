import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { findCeiling, type TrialOutcome, type TrialRequest } from '../../src/index.ts';
import { isolatedTrial, type IsolationOptions } from '../../src/node/isolated-trial.ts';
import { serveTrial } from '../../src/node/serve-trial.ts';

const modulePath = fileURLToPath(new URL('child.mjs', import.meta.url));
const request: TrialRequest = { batchSize: 64, referenceSize: 16, predictedPeakBytes: 5, signal: undefined };

const trialThat = (args: string[], options: Partial<IsolationOptions> = {}) =>
  isolatedTrial({ modulePath, args, execArgv: [], timeoutSeconds: 60, ...options });
const outcomeOf = async (args: string[], options: Partial<IsolationOptions> = {}): Promise<TrialOutcome> =>
  trialThat(args, options)(request);

/** A control group of version 1 with 150 MB, where this process may make one. */
const group = `/sys/fs/cgroup/memory/batchwise-memory-probe-${process.pid}`;
const hasGroup = ((): boolean => {
  try {
    mkdirSync(group, { recursive: true });
    writeFileSync(`${group}/memory.limit_in_bytes`, String(150e6));
    return true;
  } catch {
    return false;
  }
})();
afterAll(() => (hasGroup ? rmdirSync(group) : undefined));

describe('isolatedTrial', () => {
  it('asks a process of its own and gives its answer', async () => {
    expect(await outcomeOf(['answer'])).toEqual({
      kind: 'trained',
      steps: 1,
      examples: 64,
      peak: null,
      canary: null,
    });
    const asked = await outcomeOf(['ask']);
    expect(JSON.parse(asked.kind === 'error' ? asked.message : '')).toEqual({
      batchSize: 64,
      referenceSize: 16,
      predictedPeakBytes: 5,
    });
  });

  it('serves a whole search', async () => {
    const ceiling = await findCeiling(trialThat(['answer']), { canary: 'off', max: 40 });
    expect(ceiling).toMatchObject({ batchSize: 40, limitedBy: 'maximum' });
  });

  it.each([
    ['abort', 'was ended by SIGABRT'],
    ['kill', 'was ended by SIGKILL'],
    ['exit 134', 'ended with code 134'],
    ['exit 137', 'ended with code 137'],
    ['exit 139', 'ended with code 139'],
  ])('takes %s for lost, since memory does not explain it', async (act, end) => {
    expect(await outcomeOf(act.split(' '))).toEqual({
      kind: 'lost',
      message: expect.stringContaining(`${end}, and nothing was short of memory.`),
    });
  });

  it('takes an abort for too big where the process says so', async () =>
    expect(await outcomeOf(['say', "an instance of 'std::bad_alloc'"])).toEqual({
      kind: 'tooBig',
      limit: 'memory',
      message: `The trial's process was ended by SIGABRT: it said "bad_alloc".`,
    }));

  it.each(['exit 0', 'exit 1'])('takes %s for an error', async (act) =>
    expect(await outcomeOf(act.split(' '))).toMatchObject({
      kind: 'error',
      message: expect.stringContaining('without an answer'),
    }),
  );

  it('takes a program that is not there, or breaks, for an error with its words', async () => {
    const outcome = await outcomeOf([], { modulePath: '/nowhere/trial.mjs' });
    expect(outcome).toMatchObject({ kind: 'error', message: expect.stringContaining('/nowhere/trial.mjs') });
  });

  it('takes an answer that is none for an error', async () =>
    expect(await outcomeOf(['nonsense'])).toEqual({
      kind: 'error',
      message: 'The trial\'s process answered {"kind":"maybe"}, which is no outcome.',
    }));

  it('ends a process that takes too long', async () =>
    expect(await outcomeOf(['hang'], { timeoutSeconds: 0.5 })).toEqual({
      kind: 'timeout',
      message: 'The trial gave no answer within 0.5 s.',
    }));

  it('gives a process time that is longer than a timer can be set for', async () =>
    expect(await outcomeOf(['answer'], { timeoutSeconds: 1e7 })).toMatchObject({ kind: 'trained' }));

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = trialThat(['hang'])({ ...request, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 100);
    await expect(running).rejects.toBe(reason);
  });

  it.runIf(process.platform === 'linux')('sees a process run into its limit of address space', async () => {
    const outcome = await outcomeOf(['takeObjects'], { addressSpaceBytes: 1.5e9 });
    expect(outcome).toMatchObject({ kind: 'tooBig', limit: 'memory' });
  });

  it('takes a group that cannot be joined for an error', async () =>
    expect(await outcomeOf(['answer'], { controlGroup: '/nowhere' })).toMatchObject({
      kind: 'error',
      message: expect.stringContaining('/nowhere/cgroup.procs'),
    }));

  it.runIf(hasGroup)('sees the kernel kill for memory in a control group', async () => {
    expect(await outcomeOf(['take'], { controlGroup: group })).toEqual({
      kind: 'tooBig',
      limit: 'memory',
      message: "The trial's process was ended by SIGKILL: the kernel killed for memory in its control group.",
    });
  });

  it.each([
    [{ timeoutSeconds: 0 }, 'timeoutSeconds is 0'],
    [{ timeoutSeconds: Infinity }, 'timeoutSeconds is Infinity'],
    [{ addressSpaceBytes: -1 }, 'addressSpaceBytes is -1'],
  ])('refuses %j', (options, message) => expect(() => trialThat([], options)).toThrow(message));
});

describe('serveTrial', () => {
  /** Asks once, and gives the answer; `hangUp` as the process that asks is gone. */
  function channel() {
    let hand: (outcome: TrialOutcome) => void;
    let hangUp: (asked: Omit<TrialRequest, 'signal'>) => void;
    const calls: string[] = [];
    const answer = new Promise<TrialOutcome>((resolve) => (hand = resolve));
    return {
      answer,
      calls,
      hangUp: () => hangUp(request),
      once(event: 'message' | 'disconnect', listener: typeof hangUp) {
        if (event === 'message') listener(request);
        else hangUp = listener;
      },
      send: (outcome: TrialOutcome) => hand(outcome),
      exit: (code: number) => calls.push(`exit ${code}`),
      channel: { unref: () => void calls.push('unref') },
    };
  }

  it('answers what the trial finds out', async () => {
    const ends = channel();
    serveTrial(({ batchSize }) => ({ kind: 'timeout', message: `${batchSize}` }), ends);
    expect(await ends.answer).toEqual({ kind: 'timeout', message: '64' });
  });

  it('answers what the trial throws', async () => {
    const ends = channel();
    serveTrial(() => {
      throw new TypeError('no input');
    }, ends);
    expect(await ends.answer).toEqual({ kind: 'error', message: 'TypeError: no input' });
  });

  it('answers too big for an engine that did not survive', async () => {
    const ends = channel();
    serveTrial(() => {
      throw Object.assign(new Error('no heap'), { code: 'outOfMemory' });
    }, ends);
    expect(await ends.answer).toEqual({ kind: 'tooBig', limit: 'memory', message: 'Error: no heap' });
  });

  it('ends with the process that asks, and is not kept alive by it', () => {
    const ends = channel();
    serveTrial(() => new Promise(() => {}), ends);
    expect(ends.calls).toEqual(['unref']);
    ends.hangUp();
    expect(ends.calls).toEqual(['unref', 'exit 1']);
  });

  it('refuses to run where nobody asks', () =>
    expect(() => serveTrial(() => ({ kind: 'error', message: '' }), { once: () => undefined })).toThrow(
      'This program serves a trial; it is started by isolatedTrial.',
    ));
});
