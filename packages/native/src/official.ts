import { join } from 'node:path';
import { whileWatching } from './progress.ts';
import { reasonIn } from './run.ts';
import { NPM, type Session } from './session.ts';

/** The TensorFlow that the packages download themselves. */
export const OFFICIAL_TENSORFLOW = '2.9.1';

/** How long the host may take to send something, and how long it may pause, seconds: it often does not answer. */
const LIMITS = { first: 20, pause: 120 };

/**
 * Has the package fetch TensorFlow and its addon as its install script does.
 * @throws Error when that fails or stalls
 */
export async function downloadOfficial(session: Session): Promise<void> {
  const { packageName, packageFolder, folder, report } = session;
  const step = `Downloading TensorFlow ${OFFICIAL_TENSORFLOW} for ${packageName}`;
  report({ step, done: 0, unit: 'bytes' });
  const stall = new AbortController();
  const signals = [stall.signal, ...(session.signal ? [session.signal] : [])];
  const onBytes = (done: number, idleSeconds: number): void => {
    report({ step, done, unit: 'bytes' });
    const limit = done === 0 ? LIMITS.first : LIMITS.pause;
    if (idleSeconds > limit) stall.abort(new Error(`nothing arrived for ${limit} s`));
  };
  const { exitCode, output } = await whileWatching(
    ['deps', 'lib', 'build'].map((name) => join(packageFolder, name)),
    onBytes,
    () =>
      session.run({
        program: NPM,
        args: ['rebuild', packageName, '--foreground-scripts', '--loglevel=error'],
        cwd: folder,
        signal: AbortSignal.any(signals),
      }),
  );
  if (exitCode !== 0) throw new Error(reasonIn(output));
}
