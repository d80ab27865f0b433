import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Run } from './run.ts';
import type { Variant } from './installation.ts';
import { SetupError } from './setup-error.ts';
import { NPM } from './session.ts';

const GIBIBYTE = 2 ** 30;

/**
 * Free space that a setup from a wheel takes at its highest, bytes, rounded up: wheel, its unpacked libraries and headers,
 * and the npm packages.
 */
const SPACE: Readonly<Record<Variant, number>> = { cpu: 2.5 * GIBIBYTE, gpu: 12 * GIBIBYTE };

/** The programs that a build uses. */
export interface BuildTools {
  readonly compiler: string;
  readonly make: string;
  readonly python: string;
  /** Folder with `include/node`; undefined when node-gyp has to download the headers. */
  readonly nodeDirectory: string | undefined;
}

/** What this machine is asked about; tests hand in others. */
export interface Machine {
  readonly run: Run;
  readonly freeBytes: (folder: string) => Promise<number>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nodeExecutable: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

/** Free bytes for this user on the disk of a folder, of which the last parts need not exist yet. */
export async function freeBytes(folder: string): Promise<number> {
  let existing = resolve(folder);
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}

/**
 * Makes sure that there is room for a setup.
 * @throws SetupError `missingNeed`
 */
export async function requireSpace(
  { freeBytes: free }: Machine,
  folder: string,
  variant: Variant,
): Promise<void> {
  const bytes = await free(folder);
  if (bytes >= SPACE[variant]) return;
  const inGibibytes = (value: number): string => (value / GIBIBYTE).toFixed(1);
  throw new SetupError(
    'missingNeed',
    `Setting up native TensorFlow takes ${inGibibytes(SPACE[variant])} GiB for a while, and ${folder} has ` +
      `${inGibibytes(bytes)} GiB free. Make room, or set BATCHWISE_CACHE_DIR to a folder on a larger disk.`,
  );
}

/**
 * Finds what a build needs, or names everything that is missing at once.
 * @param needsPip whether TensorFlow is to be fetched with pip
 * @throws SetupError `missingNeed`, or Error on a system whose TensorFlow is laid out in a way that is not known here
 */
export async function findBuildTools(machine: Machine, needsPip: boolean): Promise<BuildTools> {
  const { run, env, platform } = machine;
  if (platform !== 'linux') throw new Error(`the addon is built on Linux only, and this is ${platform}`);
  const firstThatWorks = async (names: readonly (string | undefined)[]): Promise<string | undefined> => {
    for (const name of names) if (name && (await works(run, name, ['--version']))) return name;
    return undefined;
  };
  const compiler = await firstThatWorks([env['CXX'], 'g++', 'c++', 'clang++']);
  const make = await firstThatWorks([env['MAKE'], 'make']);
  const python = await firstThatWorks([env['PYTHON'], 'python3', 'python']);
  const hasPip =
    python !== undefined && (!needsPip || (await works(run, python, ['-m', 'pip', '--version'])));
  if (compiler !== undefined && make !== undefined && python !== undefined && hasPip)
    return { compiler, make, python, nodeDirectory: await findNodeDirectory(machine) };
  const missing = [
    ...(compiler ? [] : ['a C++ compiler (Debian: apt-get install g++; Fedora: dnf install gcc-c++)']),
    ...(make ? [] : ['make (Debian: apt-get install make)']),
    ...(python ? [] : ['Python 3 (Debian: apt-get install python3 python3-pip), or its path in PYTHON']),
    ...(python && !hasPip ? [`pip for ${python} (Debian: apt-get install python3-pip)`] : []),
  ];
  throw new SetupError('missingNeed', `Building TensorFlow's addon needs ${missing.join('; and ')}.`);
}

/** Node's own headers where they are at hand: named by the user, beside this Node, or in npm's configuration. */
async function findNodeDirectory({ run, env, nodeExecutable }: Machine): Promise<string | undefined> {
  const { exitCode, output } = await run({ program: NPM, args: ['config', 'get', 'nodedir'] });
  // Among the lines may be warnings of npm.
  const configured = exitCode === 0 ? output.split(/\r?\n/) : [];
  return [env['npm_config_nodedir'], dirname(dirname(nodeExecutable)), ...configured].find(
    (folder) => folder && existsSync(join(folder, 'include', 'node', 'node_api.h')),
  );
}

const works = async (run: Run, program: string, args: readonly string[]): Promise<boolean> =>
  (await run({ program, args })).exitCode === 0;
