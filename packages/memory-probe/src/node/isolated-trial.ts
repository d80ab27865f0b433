import { fork, type ChildProcess } from 'node:child_process';
import type { Trial, TrialOutcome, TrialRequest } from '../trial.ts';
import { explainDeath } from './death.ts';
import { limitedProcess } from './limited-process.ts';
import { ProcessWatch } from './process-watch.ts';

/** How a trial is run in a process of its own. */
export interface IsolationOptions {
  /** The program: a file that calls `serveTrial`. */
  readonly modulePath: string;
  readonly args?: readonly string[];
  /** Flags of Node. Default: those of this process. */
  readonly execArgv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** From the start of the process to its answer. A trial that takes longer is ended. */
  readonly timeoutSeconds: number;
  /** A limit on its address space (`ulimit -v`), so that it fails before the machine is short of memory. POSIX only. */
  readonly addressSpaceBytes?: number;
  /** The folder of a control group that it joins before Node starts, such as `/sys/fs/cgroup/trials`. Linux only. */
  readonly controlGroup?: string;
}

/** As much of the standard error is kept. */
const LAST_WORDS = 16_384;

/** A timer that is set for longer goes off at once. */
const LONGEST_MS = 2 ** 31 - 1;

const KINDS: readonly unknown[] = [
  'trained',
  'tooBig',
  'timeout',
  'lost',
  'error',
] satisfies TrialOutcome['kind'][];

/**
 * A trial that starts a process for each size: one that runs out of memory takes nothing with it, and each reads its peak
 * from a fresh start. It costs the start of Node and of the engine, 1 to 2 s.
 * @throws RangeError when the timeout or the limit is not a number above 0
 */
export function isolatedTrial(options: IsolationOptions): Trial {
  const { timeoutSeconds, addressSpaceBytes } = options;
  for (const [name, value] of Object.entries({ timeoutSeconds, addressSpaceBytes }))
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw new RangeError(`${name} is ${value}; give a number above 0.`);
  return (request) => runProcess(options, request);
}

async function runProcess(options: IsolationOptions, request: TrialRequest): Promise<TrialOutcome> {
  const { signal, ...question } = request;
  const child = start(options);
  const watch = child.pid === undefined ? undefined : new ProcessWatch(child.pid, options.controlGroup);
  const kill = (): void => void child.kill('SIGKILL');
  let answer: unknown;
  let timedOut = false;
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  child.on('message', (message) => {
    answer = message;
    // It has nothing more to do, and engines can take their time to shut down.
    kill();
  });
  const giveUp = (): void => {
    timedOut = true;
    kill();
  };
  const timer = setTimeout(giveUp, Math.min(1000 * options.timeoutSeconds, LONGEST_MS));
  if (signal instanceof AbortSignal) signal.addEventListener('abort', kill);
  try {
    if (signal?.aborted) kill();
    // A process that dies early cannot be asked; its end says what there is to say.
    child.send(question, () => {});
    const { code, ended } = await ending(child);
    const evidence = (await watch?.end()) ?? { pressures: [], oomKills: 0 };
    if (signal?.aborted) throw signal.reason;
    if (answer !== undefined) return checked(answer);
    if (timedOut)
      return { kind: 'timeout', message: `The trial gave no answer within ${options.timeoutSeconds} s.` };
    return explainDeath({ code, signal: ended, lastWords }, evidence);
  } finally {
    clearTimeout(timer);
    if (signal instanceof AbortSignal) signal.removeEventListener('abort', kill);
  }
}

function start(options: IsolationOptions): ChildProcess {
  const {
    modulePath,
    args = [],
    execArgv = process.execArgv,
    addressSpaceBytes,
    controlGroup,
    env,
  } = options;
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const;
  const common = { stdio: [...stdio], ...(env && { env }) };
  if (addressSpaceBytes === undefined && controlGroup === undefined)
    return fork(modulePath, args, { ...common, execArgv: [...execArgv] });
  // The shell becomes Node, with the channel that it inherited.
  const limited = limitedProcess({ addressSpaceBytes, controlGroup });
  return fork(modulePath, args, {
    ...common,
    execPath: '/bin/sh',
    execArgv: [...limited, process.execPath, ...execArgv],
  });
}

const ending = (child: ChildProcess): Promise<{ code: number | null; ended: string | null }> =>
  new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, ended) => resolve({ code, ended }));
  });

/** The other side may be any program. */
function checked(answer: unknown): TrialOutcome {
  if (typeof answer === 'object' && answer !== null && 'kind' in answer && KINDS.includes(answer.kind))
    return answer as TrialOutcome;
  return {
    kind: 'error',
    message: `The trial's process answered ${JSON.stringify(answer)}, which is no outcome.`,
  };
}
