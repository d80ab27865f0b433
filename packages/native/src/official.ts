import { join } from 'node:path';
import { runFetching, type IdleLimits } from './progress.ts';
import { reasonIn } from './run.ts';
import { NPM, type Session } from './session.ts';

/** The TensorFlow that the packages download themselves. */
export const OFFICIAL_TENSORFLOW = '2.9.1';

/** The host often does not answer at all, and there is another way. */
const LIMITS: IdleLimits = { first: 10, pause: 120 };

/**
 * Has the package fetch TensorFlow and its addon as its install script does.
 * @throws Error when that fails or stalls
 */
export async function downloadOfficial(session: Session): Promise<void> {
  const { packageName, packageFolder, folder, report } = session;
  const step = `Downloading TensorFlow ${OFFICIAL_TENSORFLOW} for ${packageName}`;
  report({ step, done: 0, unit: 'bytes' });
  const { exitCode, output } = await runFetching(session, {
    folders: ['deps', 'lib', 'build'].map((name) => join(packageFolder, name)),
    limits: LIMITS,
    onBytes: (done) => report({ step, done, unit: 'bytes' }),
    command: {
      program: NPM,
      args: ['rebuild', packageName, '--foreground-scripts', '--loglevel=error'],
      cwd: folder,
    },
  });
  if (exitCode !== 0) throw new Error(reasonIn(output));
}
