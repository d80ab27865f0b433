import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FETCH_LIMITS, runFetching } from './progress.ts';
import { reasonIn, type Ending } from './run.ts';
import { NPM, type Session } from './session.ts';
import { SetupError } from './setup-error.ts';

/** The version of @tensorflow/tfjs-node and -gpu, that of the rest of TensorFlow.js here. */
export const PACKAGE_VERSION = '4.22.0';

const INSTALL_OPTIONS = [
  ...['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
  // By itself npm waits for over a minute before it gives up a registry that cannot be reached.
  ...['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'],
];

/**
 * Installs the unmodified package from npm, without running any install script.
 * @throws SetupError `missingNeed` when there is no npm, `noTensorflow` when npm cannot
 */
export async function installPackage(session: Session): Promise<void> {
  const { report, folder, packageName, scratch } = session;
  await mkdir(scratch, { recursive: true });
  const manifest = {
    private: true,
    dependencies: { [packageName]: PACKAGE_VERSION },
    // npm 12 runs the package's own download in `npm rebuild` only when it is allowed by name.
    allowScripts: { [packageName]: true },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const step = `Installing ${packageName} ${PACKAGE_VERSION} from npm`;
  report({ step, done: 0, unit: 'bytes' });
  const failed = (reason: string): SetupError =>
    new SetupError('noTensorflow', `npm could not install ${packageName}: ${reason}`);
  const { exitCode, output } = await runFetching(session, {
    folders: [join(folder, 'node_modules'), join(scratch, 'npm', '_cacache')],
    limits: FETCH_LIMITS,
    onBytes: (done) => report({ step, done, unit: 'bytes' }),
    command: { program: NPM, args: ['install', ...INSTALL_OPTIONS], cwd: folder },
  }).catch((error: unknown): Ending => {
    session.signal?.throwIfAborted();
    throw failed(error instanceof Error ? error.message : String(error));
  });
  if (exitCode === 127)
    throw new SetupError(
      'missingNeed',
      'npm is not on the path; it comes with Node from nodejs.org (Debian: apt-get install npm).',
    );
  if (exitCode !== 0) throw failed(reasonIn(output));
}

/** Takes back what one way to TensorFlow left in the package, before the next one is tried. */
export async function clearPackage({ packageFolder, folder, scratch }: Session): Promise<void> {
  for (const path of ['deps', 'lib', 'build'].map((name) => join(packageFolder, name)))
    await rm(path, { recursive: true, force: true });
  await rm(join(folder, 'site'), { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
}
