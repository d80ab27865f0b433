import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { whileWatching } from './progress.ts';
import { reasonIn } from './run.ts';
import { NPM, type Session } from './session.ts';
import { SetupError } from './setup-error.ts';

/** The version of @tensorflow/tfjs-node and -gpu, that of the rest of TensorFlow.js here. */
export const PACKAGE_VERSION = '4.22.0';

/**
 * Installs the unmodified package from npm, without running any install script.
 * @throws SetupError `missingNeed` when there is no npm, `noTensorflow` when npm cannot
 */
export async function installPackage({ run, report, folder, packageName, scratch }: Session): Promise<void> {
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
  const { exitCode, output } = await whileWatching(
    [join(folder, 'node_modules')],
    (done) => report({ step, done, unit: 'bytes' }),
    () =>
      run({
        program: NPM,
        args: ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
        cwd: folder,
      }),
  );
  if (exitCode === 127)
    throw new SetupError(
      'missingNeed',
      'npm is not on the path; it comes with Node from nodejs.org (Debian: apt-get install npm).',
    );
  if (exitCode !== 0)
    throw new SetupError('noTensorflow', `npm could not install ${packageName}: ${reasonIn(output)}`);
}

/** Takes back what one way to TensorFlow left in the package, before the next one is tried. */
export async function clearPackage({ packageFolder, folder, scratch }: Session): Promise<void> {
  for (const path of ['deps', 'lib', 'build'].map((name) => join(packageFolder, name)))
    await rm(path, { recursive: true, force: true });
  await rm(join(folder, 'site'), { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
}
