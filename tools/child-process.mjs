// @ts-check
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How a program ended.
 * @typedef {object} Ending
 * @property {number} exitCode  128 and more when a signal ended it.
 * @property {string} output    All of stdout and stderr in order of arrival; empty when they were inherited.
 *
 * A program with its arguments, ready to be spawned.
 * @typedef {object} Command
 * @property {string} program
 * @property {readonly string[]} args
 * @property {boolean} [shell]
 *
 * @typedef {object} RunOptions
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env]              Added to this process's environment.
 * @property {AbortSignal} [signal]                 Ends the program.
 * @property {NodeJS.Signals} [stopSignal]          With which; SIGTERM.
 * @property {(line: string) => void} [onLine]      Called for each line of output.
 * @property {boolean} [inherit]                    Let the program write to this terminal instead.
 */

/**
 * Calls `onLine` for each whole line of a text that arrives in pieces.
 * @param {(line: string) => void} onLine
 * @returns {(piece: string) => void}
 */
export function byLine(onLine) {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  };
}

/**
 * Runs a program to its end. Never throws for a failing program: look at `exitCode`.
 * @param {Command} command
 * @param {RunOptions} options
 * @returns {Promise<Ending>}
 * @throws {Error} When the program cannot be started at all (code ENOENT, EACCES).
 */
export function run(
  { program, args, shell = false },
  { cwd, env, signal, stopSignal = 'SIGTERM', onLine = () => {}, inherit = false },
) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      shell,
      env: { ...process.env, ...env },
      stdio: inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => child.kill(stopSignal);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    let output = '';
    const split = byLine(onLine);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (piece) => {
        output += piece;
        split(piece);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => {
      signal?.removeEventListener('abort', stop);
      resolve({ exitCode: code ?? 143, output });
    });
  });
}

/**
 * npm as it was started: the npm that runs this script, else the one on the path.
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Command}
 */
export function npmCommand(args, env = process.env) {
  const cli = env.npm_execpath ?? '';
  if (/npm-cli\.c?js$/.test(cli)) return { program: process.execPath, args: [cli, ...args] };
  const isWindows = process.platform === 'win32';
  return { program: isWindows ? 'npm.cmd' : 'npm', args, shell: isWindows };
}

/**
 * A program of an installed package, which may have another name (`command`), started by this Node without npx and its
 * start-up time.
 * @param {string} root
 * @param {{ readonly name: string, readonly command?: string, readonly args: readonly string[] }} tool
 * @returns {Command}
 */
export function installedCommand(root, { name, command = name, args }) {
  const folder = join(root, 'node_modules', name);
  if (!existsSync(folder))
    throw new Error(`${name} is not installed in ${root}: run "node tools/bootstrap.mjs" first.`);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return {
    program: process.execPath,
    args: [join(folder, typeof bin === 'string' ? bin : bin[command]), ...args],
  };
}

/** Nx without its full-screen interface and background process, so that its output reads the same everywhere. */
export const NX_ENVIRONMENT = { NX_TUI: 'false', NX_DAEMON: 'false' };
