import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assetPath } from './assets.ts';
import { allocatorAddonIn, entryIn } from './installation.ts';
import type { BuildTools } from './needs.ts';
import { afterSeconds, anySignal, reasonIn, type Ending } from './run.ts';
import { NPM, type Session } from './session.ts';
import { SetupError } from './setup-error.ts';

/** Lines in which make names a file it starts on: two sources, one link, two copies. */
const MAKE_LINES = 5;

/** How long node-gyp may take to fetch Node's headers, seconds: by itself it waits for a silent host for minutes. */
const HEADERS_SECONDS = 60;

/**
 * Builds the addon of TensorFlow.js for Node from the package's own sources against what lies in `deps`.
 * @throws SetupError `missingNeed` when Node's headers are not to be had
 * @throws Error when the build fails
 */
export async function buildBinding(session: Session, tools: BuildTools): Promise<void> {
  const step = 'Building the addon';
  let done = 0;
  session.report({ step, done, total: MAKE_LINES, unit: 'parts' });
  const { exitCode, output } = await runNodeGyp(session, tools, () => {
    done = Math.min(MAKE_LINES, done + 1);
    session.report({ step, done, total: MAKE_LINES, unit: 'parts' });
  });
  if (exitCode === 0) return;
  if (/nodejs\.org|node_api\.h: No such file|headers\.tar/.test(output))
    throw new SetupError(
      'missingNeed',
      `Building needs Node's header files, and they could not be downloaded (${reasonIn(output)}). ` +
        'Install them (Debian: apt-get install libnode-dev) and name their place, such as npm_config_nodedir=/usr: ' +
        'the folder that has include/node/node_api.h.',
    );
  throw new Error(`the addon could not be built: ${reasonIn(output)}`);
}

/** Runs node-gyp; until make starts it may be waiting for a host that says nothing. */
async function runNodeGyp(session: Session, tools: BuildTools, onMakeLine: () => void): Promise<Ending> {
  const hang = new AbortController();
  const late = new Error(`nothing arrived from nodejs.org for ${HEADERS_SECONDS} s`);
  const timer = setTimeout(() => hang.abort(late), HEADERS_SECONDS * 1000);
  try {
    return await session.run({
      program: NPM,
      args: ['exec', '--no', '--', 'node-pre-gyp', 'install', '--build-from-source'],
      cwd: session.packageFolder,
      env: { CXX: tools.compiler, PYTHON: tools.python, npm_config_nodedir: tools.nodeDirectory },
      signal: anySignal(hang.signal, session.signal),
      onLine: (line) => {
        if (!/^\s+(CXX|SOLINK|COPY)/.test(line)) return;
        clearTimeout(timer);
        onMakeLine();
      },
    });
  } catch (error) {
    if (error !== late) throw error;
    return { exitCode: 143, output: late.message };
  } finally {
    clearTimeout(timer);
  }
}

/** Folders of headers inside TensorFlow's own that its internal headers include from. */
const BUNDLED = ['farmhash_archive/src', 'org_xprof', 'highwayhash', 'com_google_protobuf/src'];

/**
 * Builds the addon that reads TensorFlow's allocator statistics. It is a help, no need: where TensorFlow came without its
 * internal headers, or the build fails, there is a notice and nothing else.
 */
export async function buildAllocatorAddon(session: Session, tools: BuildTools): Promise<void> {
  const deps = join(session.packageFolder, 'deps');
  const include = join(deps, 'include');
  if (!existsSync(join(include, 'tensorflow/core/common_runtime/eager/context.h'))) return;
  const step = 'Building the reader of memory statistics';
  session.report({ step, done: 0, unit: 'parts' });
  const addon = allocatorAddonIn(session.folder);
  const headers = [
    include,
    ...BUNDLED.map((path) => join(include, 'external', path)),
    await nodeHeaders(session, tools),
  ];
  const built = await session.run({
    program: tools.compiler,
    args: [
      ...['-std=c++17', '-O1', '-DNDEBUG', '-DEIGEN_MAX_ALIGN_BYTES=64', '-w', '-fPIC', '-shared'],
      ...headers.flatMap((path) => ['-I', path]),
      assetPath('allocator_statistics.cc'),
      ...['-o', addon, '-L', join(deps, 'lib'), '-ltensorflow', '-ltensorflow_framework'],
      `-Wl,-rpath,$ORIGIN/node_modules/${session.packageName}/deps/lib`,
    ],
  });
  const checked =
    built.exitCode === 0 ? await checkBuild(session, addon).catch(String) : reasonIn(built.output);
  if (typeof checked === 'string') {
    await rm(addon, { force: true });
    session.notice(`Memory statistics of TensorFlow will not be at hand: ${checked}`);
  }
}

/** Node's headers: those that were found, else those that node-gyp downloaded for the addon. */
async function nodeHeaders({ scratch }: Session, { nodeDirectory }: BuildTools): Promise<string> {
  if (nodeDirectory !== undefined) return join(nodeDirectory, 'include', 'node');
  const downloads = join(scratch, 'node-gyp');
  const [version = ''] = await readdir(downloads).catch(() => []);
  return join(downloads, version, 'include', 'node');
}

/** What a built package says of itself. */
export interface CheckedBuild {
  readonly tensorflow: string;
  /** Whether TensorFlow sees a GPU. */
  readonly gpu: boolean;
}

/** A matrix product on a GPU that the build has no code for is compiled for half an hour; that is no use to anybody. */
const CHECK_SECONDS = 180;
const TOO_LONG = new Error(`it had computed nothing after ${CHECK_SECONDS} s`);

/**
 * Loads the build in a process of its own, where it may crash, and computes with it.
 * @param addon the allocator addon, to be checked too
 * @throws Error with what it said when it does not load or compute
 */
export async function checkBuild(session: Session, addon?: string): Promise<CheckedBuild> {
  const { exitCode, output } = await session.run({
    program: process.execPath,
    args: [
      assetPath('check_build.mjs'),
      entryIn(session.folder, session.variant),
      ...(addon === undefined ? [] : [addon]),
    ],
    signal: anySignal(afterSeconds(CHECK_SECONDS, TOO_LONG), session.signal),
  });
  const answer = output.split(/\r?\n/).find((line) => line.startsWith('{"tensorflow"'));
  if (exitCode !== 0 || answer === undefined)
    throw new Error(`what was built does not work: ${reasonIn(output)}`);
  return JSON.parse(answer) as CheckedBuild;
}
