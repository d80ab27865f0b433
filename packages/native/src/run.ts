import { spawn, type ChildProcess } from 'node:child_process';

/** A program to run to its end. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Ends the program and all that it started; `run` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each line of stdout and stderr. */
  readonly onLine?: (line: string) => void;
}

/** How a program ended. */
export interface Ending {
  /** 127 when there is no such program, 128 and more when a signal ended it. */
  readonly exitCode: number;
  /** stdout and stderr in order of arrival. */
  readonly output: string;
}

/** Runs a program. It does not reject for a program that fails: look at `exitCode`. */
export type Run = (command: Command) => Promise<Ending>;

/** Runs a program as a child of this process. */
export const run: Run = ({ program, args, cwd, env, signal, onLine = () => undefined }) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const isWindows = process.platform === 'win32';
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm is a batch file on Windows. Elsewhere a group of its own lets the compilers of make be ended with it.
      shell: isWindows,
      detached: !isWindows,
    });
    let output = '';
    const byLine = lineSplitter(onLine);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (piece: string) => {
        output += piece;
        byLine(piece);
      });
    const stop = (): void => endGroup(child);
    signal?.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => {
      signal?.removeEventListener('abort', stop);
      resolve({ exitCode: 127, output: error.message });
    });
    child.once('close', (code) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ exitCode: code ?? 143, output });
    });
  });

/** A signal that is aborted when one of those given is. */
export const anySignal = (...signals: readonly (AbortSignal | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined));

/**
 * A signal that is aborted after so long. Unlike `AbortSignal.timeout`, it fires also where only {@link anySignal} knows of it:
 * Node 20 may collect the other before.
 */
export function afterSeconds(seconds: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 1000 * seconds).unref();
  return controller.signal;
}

function endGroup(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGTERM');
  else process.kill(-child.pid, 'SIGTERM');
}

function lineSplitter(onLine: (line: string) => void): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split(/[\r\n]+/);
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  };
}

/** From the most telling to the least. */
const TELLING = [
  /\b(getaddrinfo|connect) E[A-Z]+/,
  /ENOSPC|No matching distribution|fatal error:|undefined reference/i,
  /\berror:|Error:/i,
];

/** The line of a failed program's output that says most about why, else the last one. */
export function reasonIn(output: string): string {
  const lines = output
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const telling = TELLING.map((pattern) => lines.findLast((line) => pattern.test(line)));
  return telling.find((line) => line !== undefined) ?? lines.at(-1) ?? 'it said nothing';
}
