import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Command, Ending, Machine } from '../src/index.ts';

/** What a setup asks a machine to do, by the program that does it. */
export type Errand =
  | 'compiler'
  | 'make'
  | 'python'
  | 'pip'
  | 'npmConfig'
  | 'npmInstall'
  | 'official'
  | 'pipDownload'
  | 'unpack'
  | 'build'
  | 'buildAllocator'
  | 'check';

type Answer = Ending | ((command: Command) => Promise<Ending> | Ending);

export const OK: Ending = { exitCode: 0, output: '' };
export const failed = (output: string): Ending => ({ exitCode: 1, output });
export const notThere: Ending = { exitCode: 127, output: 'spawn ENOENT' };
export const checked = (tensorflow: string, gpu = false): Ending => ({
  exitCode: 0,
  output: `a line of TensorFlow\n${JSON.stringify({ tensorflow, gpu })}\n`,
});

/** A fresh folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'batchwise-native-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), name);
  }
}

/** The files of TensorFlow in a wheel that a build looks at. */
export const WHEEL_FILES = [
  'libtensorflow_cc.so.2',
  'libtensorflow_framework.so.2',
  'include/tensorflow/c/c_api.h',
  'include/tensorflow/core/common_runtime/eager/context.h',
];

function errandOf({ program, args }: Command): Errand {
  const line = [program, ...args].join(' ');
  const errands: readonly (readonly [RegExp, Errand])[] = [
    [/^npm config get nodedir$/, 'npmConfig'],
    [/^npm install /, 'npmInstall'],
    [/^npm rebuild /, 'official'],
    [/^npm exec .*node-pre-gyp install --build-from-source$/, 'build'],
    [/-m pip --version$/, 'pip'],
    [/-m pip download /, 'pipDownload'],
    [/unpack_wheels\.py /, 'unpack'],
    [/check_build\.mjs /, 'check'],
    [/ -shared /, 'buildAllocator'],
    [/(g\+\+|c\+\+|clang\+\+) --version$/, 'compiler'],
    [/make --version$/, 'make'],
    [/python\S* --version$/, 'python'],
  ];
  const [, errand] = errands.find(([pattern]) => pattern.test(line)) ?? [];
  if (errand === undefined) throw new Error(`The fake machine has no answer to: ${line}`);
  return errand;
}

const valueAfter = (args: readonly string[], flag: string): string => args[args.indexOf(flag) + 1] ?? '';

/** What each program leaves on the disk when it works; the official host does not answer. */
const ANSWERS: Readonly<Record<Errand, Answer>> = {
  compiler: OK,
  make: OK,
  python: OK,
  pip: OK,
  npmConfig: { exitCode: 0, output: 'undefined\n' },
  npmInstall: async ({ cwd = '' }) => {
    for (const name of ['tfjs-node', 'tfjs-node-gpu'])
      await writeFiles(cwd, [`node_modules/@tensorflow/${name}/dist/index.js`]);
    return OK;
  },
  official: failed('npm error Error: getaddrinfo ENOTFOUND storage.googleapis.com\nnpm error code 1'),
  pipDownload: async ({ args }) => {
    await writeFiles(valueAfter(args, '--dest'), ['tensorflow_cpu-2.21.0-cp311.whl', 'numpy-2.0-cp311.whl']);
    return OK;
  },
  unpack: async ({ args, onLine }) => {
    await writeFiles(join(args[1] ?? '', 'tensorflow'), WHEEL_FILES);
    onLine?.(`wheel tensorflow_cpu 2.21.0 ${'ab'.repeat(32)}`);
    return OK;
  },
  build: OK,
  buildAllocator: async ({ args }) => {
    await writeFile(valueAfter(args, '-o'), 'addon');
    return OK;
  },
  check: checked('2.21.0'),
};

export interface FakeMachine {
  readonly machine: Machine;
  /** All that was asked for, in order. */
  readonly errands: Errand[];
  readonly commands: Command[];
}

/** A machine on which everything is installed, with other answers where given. */
export function fakeMachine(
  answers: Partial<Record<Errand, Answer>> = {},
  over: Partial<Machine> = {},
): FakeMachine {
  const errands: Errand[] = [];
  const commands: Command[] = [];
  const run = async (command: Command): Promise<Ending> => {
    command.signal?.throwIfAborted();
    const errand = errandOf(command);
    errands.push(errand);
    commands.push(command);
    const answer = answers[errand] ?? ANSWERS[errand];
    return typeof answer === 'function' ? answer(command) : answer;
  };
  const freeBytes = (): Promise<number> => Promise.resolve(2 ** 40);
  return {
    errands,
    commands,
    machine: {
      ...{ run, freeBytes, env: {}, nodeExecutable: '/none/bin/node', platform: 'linux', arch: 'x64' },
      ...over,
    },
  };
}
