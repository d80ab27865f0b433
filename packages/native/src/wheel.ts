import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assetPath } from './assets.ts';
import type { Variant } from './installation.ts';
import { FETCH_LIMITS, runFetching } from './progress.ts';
import { reasonIn, type Ending } from './run.ts';
import type { Session } from './session.ts';

/** The wheel that this package was tested with. */
export const TESTED_TENSORFLOW = '2.21.0';

/** Pythons to ask for in turn: the user's own, then others, since a new Python has no wheels for a while. */
const PYTHON_VERSIONS: readonly (readonly string[])[] = [
  [],
  ['--python-version', '3.12'],
  ['--python-version', '3.10'],
];

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

interface WheelRequest {
  readonly python: string;
  /** Of TensorFlow. */
  readonly version: string;
}

/** What was unpacked. */
export interface UnpackedWheels {
  /** TensorFlow's folder, as it lies in site-packages. */
  readonly directory: string;
  /** SHA-256 by `name version`. */
  readonly wheels: Record<string, string>;
}

/**
 * Fetches TensorFlow's wheel with the user's own pip, and with it for `gpu` the wheels of NVIDIA's runtime. Versions that
 * this package knows are checked against its own list of SHA-256 sums (`--require-hashes`), others by pip against those of
 * the index.
 * @throws Error when pip has no such wheel or cannot get it
 */
export async function fetchWheels(session: Session, request: WheelRequest): Promise<UnpackedWheels> {
  const wheels = join(pipFolder(session), 'wheels');
  await mkdir(wheels, { recursive: true });
  let ending: Ending | undefined;
  for (const pythonVersion of PYTHON_VERSIONS) {
    ending = await download(session, request, [...pythonVersion, '--dest', wheels]);
    if (!/No matching distribution/i.test(ending.output)) break;
  }
  if (ending?.exitCode !== 0) throw new Error(`pip: ${refusal(ending?.output ?? '')}`);
  const unpacked = await unpack(session, request.python, wheels);
  await rm(wheels, { recursive: true });
  return unpacked;
}

/** What pip fills, apart from what npm left, so that its bytes can be counted. */
const pipFolder = ({ scratch }: Session): string => join(scratch, 'pip');

const refusal = (output: string): string =>
  /DO NOT MATCH THE HASHES/.test(output)
    ? 'the index gave a file whose SHA-256 is not the known one; it was thrown away'
    : reasonIn(output);

/** Which wheels are meant. */
interface WheelChoice {
  readonly variant: Variant;
  /** Of TensorFlow. */
  readonly version: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

const lockOf = ({ variant, version, platform, arch }: WheelChoice): string =>
  assetPath(`locks/${variant}-${version}-${platform}-${arch}.txt`);

/** Whether this package has the SHA-256 sums of the wheels. */
export const hasChecksums = (choice: WheelChoice): boolean => existsSync(lockOf(choice));

function requirements({ variant }: Session, { version }: WheelRequest): readonly string[] {
  const lock = lockOf({ variant, version, platform: process.platform, arch: process.arch });
  if (existsSync(lock)) return ['--no-deps', '--require-hashes', '--requirement', lock];
  // The extra names NVIDIA's wheels; what else comes with it is small and not unpacked.
  return variant === 'gpu'
    ? [`tensorflow[and-cuda]==${version}`]
    : ['--no-deps', `tensorflow-cpu==${version}`];
}

async function download(
  session: Session,
  request: WheelRequest,
  options: readonly string[],
): Promise<Ending> {
  const { report } = session;
  const folder = pipFolder(session);
  const wheelName = session.variant === 'gpu' ? 'tensorflow and the CUDA libraries' : 'tensorflow-cpu';
  const step = `Downloading ${wheelName} ${request.version} with pip`;
  let [total, done] = [0, 0];
  // At its end pip copies the files to their place, in the same folder.
  const show = (): void =>
    report({ step, unit: 'bytes', ...(total > 0 ? { done: Math.min(done, total), total } : { done }) });
  show();
  return runFetching(session, {
    folders: [folder],
    limits: FETCH_LIMITS,
    onBytes: (bytes) => {
      done = bytes;
      show();
    },
    command: {
      program: request.python,
      args: [
        ...['-m', 'pip', 'download', '--only-binary=:all:', '--progress-bar=off'],
        ...options,
        ...requirements(session, request),
      ],
      env: { TMPDIR: folder, TMP: folder, TEMP: folder },
      onLine: (line) => {
        total += announcedBytes(line);
      },
    },
  });
}

/** The size in a line of pip: `Downloading tensorflow_cpu-2.21.0-….whl (273.8 MB)`. */
export function announcedBytes(line: string): number {
  const { size, unit = '' } =
    /^\s*Downloading \S+\.whl \((?<size>[\d.]+) (?<unit>[kMG]?B)\)/.exec(line)?.groups ?? {};
  return size === undefined ? 0 : Number(size) * (UNITS[unit] ?? 0);
}

async function unpack(session: Session, python: string, folder: string): Promise<UnpackedWheels> {
  const site = join(session.folder, 'site');
  const files = (await readdir(folder)).filter((name) => /^(tensorflow|nvidia)_?.*\.whl$/.test(name));
  const step = 'Unpacking the libraries and headers';
  const wheels: Record<string, string> = {};
  const { exitCode, output } = await session.run({
    program: python,
    args: [assetPath('unpack_wheels.py'), site, ...files.map((name) => join(folder, name))],
    onLine: (line) => {
      const [done, total] = line.split(' ').map(Number);
      if (total) session.report({ step, done: done ?? 0, total, unit: 'bytes' });
      const { name, sum } = /^wheel (?<name>\S+ \S+) (?<sum>[\da-f]{64})$/.exec(line)?.groups ?? {};
      if (name && sum) wheels[name] = sum;
    },
  });
  if (exitCode !== 0) throw new Error(`the wheel could not be unpacked: ${reasonIn(output)}`);
  return { directory: join(site, 'tensorflow'), wheels };
}
