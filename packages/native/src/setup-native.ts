import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildAllocatorAddon, buildBinding, checkBuild, type CheckedBuild } from './build.ts';
import {
  beginInstallation,
  finishInstallation,
  nativeLocation,
  rememberFailure,
  removeLeftovers,
  type InstallationRecord,
  type NativeLocation,
  type Origin,
  type Variant,
} from './installation.ts';
import { linkTensorflow } from './link.ts';
import { findBuildTools, freeBytes, requireSpace, type Machine } from './needs.ts';
import { clearPackage, installPackage } from './npm-package.ts';
import { downloadOfficial, OFFICIAL_TENSORFLOW } from './official.ts';
import { requireProspects } from './prospects.ts';
import type { SetupProgress } from './progress.ts';
import { afterSeconds, anySignal, run } from './run.ts';
import { makeSession, type Session } from './session.ts';
import { SetupError } from './setup-error.ts';
import { fetchWheels, TESTED_TENSORFLOW } from './wheel.ts';

/** Options of {@link setupNative}. */
export interface SetupOptions {
  /** Everything is kept in the folder `native` in it. */
  readonly cacheDir: string;
  /** TensorFlow with CUDA, for @tensorflow/tfjs-node-gpu. */
  readonly gpu?: boolean;
  /** A version of TensorFlow, such as `2.21.0`. Default: the one the package downloads, else the one tested here. */
  readonly tensorflow?: string;
  /** One way to TensorFlow instead of `official`, then `pip`; anything else is the folder of an installed one. */
  readonly from?: string;
  /** Nobody asked for it by name: it goes ahead only where all that it needs is at hand. */
  readonly unattended?: boolean;
  /** Gives up after so long. */
  readonly timeLimitSeconds?: number;
  readonly onProgress?: (progress: SetupProgress) => void;
  /** Called with a line about each thing that did not work. */
  readonly onNotice?: (line: string) => void;
  /** Ends the setup, which then rejects with the signal's reason; what was there before stays. */
  readonly signal?: AbortSignal;
  /** What the machine is asked for and how programs are run; tests hand in others. */
  readonly machine?: Partial<Machine>;
}

/** What {@link setupNative} did. */
export interface SetupResult {
  readonly location: NativeLocation;
  /** Nothing was done: there was a setup that fits the options. */
  readonly wasThere: boolean;
}

type Found = Omit<InstallationRecord, 'schema' | 'folder' | 'tensorflow'>;

/** One way to TensorFlow: leaves a package whose addon can be loaded. */
interface Way {
  readonly name: string;
  readonly origin: Origin;
  take(session: Session): Promise<Found>;
}

/**
 * Gives TensorFlow.js for Node a working TensorFlow: the official download, else the Python wheel and an addon built from
 * the package's own sources, else an installed TensorFlow. The result is loaded and computed with before it counts. The
 * setup from before stays in use until that moment, and stays for good when this one fails or is killed. Why one failed that
 * chose its own way is kept for {@link nativeFailure}.
 * @throws SetupError `missingNeed` when something is missing on this machine that the message names, `noTensorflow` when no
 *   way worked, with the reason of each, `invalidOptions` when the options contradict each other
 */
export async function setupNative(options: SetupOptions): Promise<SetupResult> {
  const variant: Variant = options.gpu ? 'gpu' : 'cpu';
  const { cacheDir, signal } = options;
  const machine: Machine = {
    run,
    freeBytes,
    env: process.env,
    nodeExecutable: process.execPath,
    platform: process.platform,
    arch: process.arch,
    ...options.machine,
  };
  const ways = waysFor(options, machine);
  const existing = nativeLocation(cacheDir, variant);
  if (existing && fits(existing, options)) return { location: existing, wasThere: true };

  signal?.throwIfAborted();
  const limit = timeLimit(options);
  try {
    if (options.unattended) await requireProspects(machine, variant);
    await install({ options, variant, machine, ways, signal: anySignal(signal, limit) });
  } catch (error) {
    signal?.throwIfAborted();
    if (options.from === undefined && options.tensorflow === undefined)
      await rememberFailure(cacheDir, variant, error instanceof Error ? error.message : String(error));
    throw error;
  }
  const location = nativeLocation(cacheDir, variant);
  if (location === undefined)
    throw new SetupError('noTensorflow', `${cacheDir} does not keep what is written.`);
  return { location, wasThere: false };
}

interface Job {
  readonly options: SetupOptions;
  readonly variant: Variant;
  readonly machine: Machine;
  readonly ways: readonly Way[];
  /** Of the caller, and of the time limit. */
  readonly signal: AbortSignal;
}

/** Fills a folder and makes it the one in use, or takes it away again. */
async function install({ options, variant, machine, ways, signal }: Job): Promise<void> {
  const { cacheDir } = options;
  await removeLeftovers(cacheDir, variant);
  await requireSpace(machine, cacheDir, variant);
  const folder = await beginInstallation(cacheDir, variant);
  try {
    const session = makeSession({
      ...{ variant, folder, run: machine.run, signal },
      report: options.onProgress ?? (() => undefined),
      notice: options.onNotice ?? (() => undefined),
    });
    await installPackage(session);
    const record = await firstThatWorks(session, ways);
    await rm(session.scratch, { recursive: true, force: true });
    signal.throwIfAborted();
    // Another process may have been as far sooner, and be using its own by now.
    const other = nativeLocation(cacheDir, variant);
    if (other && fits(other, options)) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    else await finishInstallation(cacheDir, variant, { folder, record });
  } catch (error) {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

function timeLimit({ timeLimitSeconds: seconds }: SetupOptions): AbortSignal | undefined {
  if (seconds === undefined) return undefined;
  return afterSeconds(
    seconds,
    new SetupError('noTensorflow', `It was not done after ${seconds} s and was stopped.`),
  );
}

function fits({ tensorflow, origin, directory }: NativeLocation, options: SetupOptions): boolean {
  if (options.tensorflow !== undefined && options.tensorflow !== tensorflow) return false;
  if (options.from === undefined) return true;
  return origin === 'directory' ? directory === resolve(options.from) : origin === options.from;
}

function waysFor({ from, tensorflow }: SetupOptions, machine: Machine): readonly Way[] {
  const official: Way = {
    name: 'the official download',
    origin: 'official',
    take: async (session) => {
      await downloadOfficial(session);
      return { origin: 'official' };
    },
  };
  const pip = wheelWay(tensorflow ?? TESTED_TENSORFLOW, machine);
  const hasOfficial = tensorflow === undefined || tensorflow === OFFICIAL_TENSORFLOW;
  if (from === undefined) return hasOfficial ? [official, pip] : [pip];
  if (from === 'pip') return [pip];
  if (from !== 'official') {
    if (tensorflow !== undefined)
      throw new SetupError(
        'invalidOptions',
        `The TensorFlow in ${from} has a version of its own; give no other.`,
      );
    return [directoryWay(resolve(from), machine)];
  }
  if (hasOfficial) return [official];
  throw new SetupError(
    'invalidOptions',
    `The official download is TensorFlow ${OFFICIAL_TENSORFLOW}, not ${tensorflow}; take "pip" for others.`,
  );
}

const wheelWay = (version: string, machine: Machine): Way => ({
  name: 'the Python wheel',
  origin: 'pip',
  take: async (session) => {
    const tools = await findBuildTools({ ...machine, run: session.run }, true);
    const { directory, wheels } = await fetchWheels(session, { python: tools.python, version });
    await linkTensorflow(session.packageFolder, directory, true);
    await buildBinding(session, tools);
    await buildAllocatorAddon(session, tools);
    // 290 MB that nothing reads any more.
    await rm(join(directory, 'include'), { recursive: true, force: true });
    return { origin: 'pip', wheels };
  },
});

const directoryWay = (directory: string, machine: Machine): Way => ({
  name: directory,
  origin: 'directory',
  take: async (session) => {
    const tools = await findBuildTools({ ...machine, run: session.run }, false);
    await linkTensorflow(session.packageFolder, directory, false);
    await buildBinding(session, tools);
    await buildAllocatorAddon(session, tools);
    return { origin: 'directory', directory };
  },
});

const INSTALLED_HINT = ' If TensorFlow is installed on this machine, give its folder with --from.';

async function firstThatWorks(
  session: Session,
  ways: readonly Way[],
): Promise<Found & Pick<InstallationRecord, 'tensorflow'>> {
  const failures: string[] = [];
  for (const [index, way] of ways.entries()) {
    try {
      if (index > 0) await clearPackage(session);
      const found = await way.take(session);
      session.report({ step: 'Loading it and computing', done: 0, unit: 'parts' });
      const { tensorflow, gpu } = await checkBuild(session);
      requireGpu(session, { gpu, isLast: index === ways.length - 1 });
      return { ...found, tensorflow };
    } catch (error) {
      session.signal?.throwIfAborted();
      if (error instanceof SetupError && index === ways.length - 1) throw withEarlier(error, failures);
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${way.name} does not work here: ${reason}`);
      session.notice(failures.at(-1) ?? '');
    }
  }
  throw new SetupError(
    'noTensorflow',
    `${failures.join('. ')}.${ways.some(({ origin }) => origin === 'directory') ? '' : INSTALLED_HINT}`,
  );
}

const withEarlier = (error: SetupError, failures: readonly string[]): SetupError =>
  new SetupError(error.code, [error.message, ...failures.map((line) => `(Before that, ${line})`)].join(' '));

/** An old TensorFlow may not know a new GPU, in which case the next way is better; the last one is taken as it is. */
function requireGpu(session: Session, { gpu, isLast }: { gpu: CheckedBuild['gpu']; isLast: boolean }): void {
  if (gpu || session.variant === 'cpu') return;
  if (!isLast) throw new Error('it sees no GPU');
  session.notice(
    'TensorFlow sees no GPU here and computes on the CPU. Is the NVIDIA driver installed (nvidia-smi)?',
  );
}
