import { fork, type ChildProcess } from 'node:child_process';
import type { ProbeMessage, ProbeRequest } from './probe-messages.ts';

/** How a probe ended. */
export type ProbeOutcome =
  | Exclude<ProbeMessage, { readonly kind: 'phase' }>
  | { readonly kind: 'crashed'; readonly reason: string; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'timedOut'; readonly reason: string };

/** Sends a probe out; `env` is added to its environment. */
export type RunProbe = (
  request: ProbeRequest,
  env?: Readonly<Record<string, string>>,
) => Promise<ProbeOutcome>;

interface ProbeOptions {
  /** The file to run. */
  readonly program: string;
  readonly timeLimitSeconds: number;
  /** Ends the probes that are out; they then reject with its reason. */
  readonly signal: AbortSignal;
}

/** Probes as child processes. What one does to itself, it does to nobody else. */
export function childProbes({ program, timeLimitSeconds, signal }: ProbeOptions): RunProbe {
  return (request, env = {}) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const child = fork(program, [JSON.stringify(request), String(process.pid)], {
        env: { ...process.env, ...env },
        execArgv: [],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      let phase = 'starting';
      let outcome: ProbeOutcome | undefined;
      const errors = lastOf(child);
      // SIGKILL: a thread of an engine that hangs would hold up anything milder.
      const end = (): void => void child.kill('SIGKILL');
      const timer = setTimeout(() => {
        outcome ??= { kind: 'timedOut', reason: `still ${phase} after ${timeLimitSeconds} s` };
        end();
      }, 1000 * timeLimitSeconds);
      signal.addEventListener('abort', end, { once: true });
      child.on('message', (message: ProbeMessage) => {
        if (message.kind === 'phase') phase = message.phase;
        else {
          outcome ??= message;
          end();
        }
      });
      const settle = (ending: ProbeOutcome): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        if (signal.aborted) reject(signal.reason as Error);
        else resolve(outcome ?? ending);
      };
      child.once('error', (error) => settle({ kind: 'crashed', reason: error.message, signal: null }));
      child.once('close', (code, killedBy) =>
        settle({
          kind: 'crashed',
          reason: crash({ phase, code, killedBy, said: errors() }),
          signal: killedBy,
        }),
      );
    });
}

/** Signals that say by themselves what happened. */
const MEANINGS: Partial<Record<NodeJS.Signals, string>> = {
  SIGILL: 'this processor lacks an instruction that the engine was built for',
  SIGKILL: 'killed, often for want of memory',
};

interface Crash {
  readonly phase: string;
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly said: string;
}

function crash({ phase, code, killedBy, said }: Crash): string {
  const how = killedBy === null ? `exit code ${code ?? 'unknown'}` : killedBy;
  const why = (killedBy && MEANINGS[killedBy]) || said;
  return `its process ended while ${phase} (${how})${why ? `: ${why}` : ''}`;
}

/** How much of what a probe prints is kept. */
const KEPT = 20_000;

/** Reads a child's error stream to its end, and gives the line that says most. */
function lastOf(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => (text = (text + piece).slice(-KEPT)));
  return () => {
    const lines = text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
    return lines.find((line) => /Error\b.*:|terminate called|FATAL/.test(line)) ?? lines.at(-1) ?? '';
  };
}
