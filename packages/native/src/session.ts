import { join } from 'node:path';
import { packageFolder, PACKAGES, type Variant } from './installation.ts';
import type { SetupProgress } from './progress.ts';
import type { Command, Ending, Run } from './run.ts';

/** What the parts of one setup share. */
export interface Session {
  readonly variant: Variant;
  readonly packageName: string;
  /** The folder of this setup; nothing is written outside it. */
  readonly folder: string;
  /** The installed package of TensorFlow.js for Node in that folder. */
  readonly packageFolder: string;
  /** Where programs put what they throw away; part of `folder`. */
  readonly scratch: string;
  readonly signal: AbortSignal | undefined;
  run(command: Command): Promise<Ending>;
  report(progress: SetupProgress): void;
  /** Says in one line what did not work, or works less well than asked. */
  notice(line: string): void;
}

export interface SessionParts {
  readonly variant: Variant;
  readonly folder: string;
  readonly run: Run;
  readonly signal: AbortSignal | undefined;
  readonly report: (progress: SetupProgress) => void;
  readonly notice: (line: string) => void;
}

export function makeSession({ variant, folder, run, signal, report, notice }: SessionParts): Session {
  const scratch = join(folder, 'scratch');
  const environment = keptInside(scratch);
  return {
    variant,
    packageName: PACKAGES[variant],
    folder,
    packageFolder: packageFolder(folder, variant),
    scratch,
    signal,
    report,
    notice,
    run: (command) =>
      run({ ...command, signal: command.signal ?? signal, env: { ...environment, ...command.env } }),
  };
}

/** Keeps npm, node-gyp and pip from writing to their usual places under the user's home. */
const keptInside = (scratch: string): Record<string, string> => ({
  TMPDIR: scratch,
  TMP: scratch,
  TEMP: scratch,
  npm_config_cache: join(scratch, 'npm'),
  npm_config_devdir: join(scratch, 'node-gyp'),
  npm_config_update_notifier: 'false',
  PIP_NO_CACHE_DIR: '1',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  // Nothing is installed into a Python, so that a rule against doing that outside a virtual environment does not apply.
  PIP_REQUIRE_VIRTUALENV: '0',
  PYTHONDONTWRITEBYTECODE: '1',
});

/** npm by its name on this system. */
export const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';
