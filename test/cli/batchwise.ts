import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInDigits, writeIdx, type LabelledImages } from '@batchwise/data';
import { afterAll } from 'vitest';

const BIN = fileURLToPath(new URL('../../apps/autotune/bin/batchwise.mjs', import.meta.url));

/** Empty at first; what one run learns must not change the next test. */
const emptyCache = mkdtempSync(join(tmpdir(), 'batchwise-no-cache-'));
afterAll(() => rmSync(emptyCache, { recursive: true, force: true }));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with all output so far each time there is more; may send a signal. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => boolean) => void;
}

/** Runs the built command as a user would, away from any cache and any colour. */
export function batchwise(
  args: readonly string[],
  { env: added, onOutput }: RunOptions = {},
): Promise<Outcome> {
  const noCache = { NO_COLOR: '1', BATCHWISE_CACHE_DIR: emptyCache };
  const env = { ...process.env, ...noCache, ...added };
  const child = spawn(process.execPath, [BIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * For `onOutput`: sends the signals when the output first matches, and not with each further piece of it, since a second
 * Ctrl-C ends the command at once.
 */
export function signalOnce(
  pattern: RegExp,
  ...signals: readonly NodeJS.Signals[]
): NonNullable<RunOptions['onOutput']> {
  let isSent = false;
  return (stdout, kill) => {
    if (isSent || !pattern.test(stdout)) return;
    isSent = true;
    for (const signal of signals) kill(signal);
  };
}

/** A fresh folder that is gone after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'batchwise-cli-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with the first few built-in digits in the files of MNIST. */
export async function smallMnist(trainCount: number, testCount: number): Promise<string> {
  const folder = await temporaryFolder();
  const { train, test } = builtInDigits({ seed: 5, trainCount, testCount });
  const write = async (prefix: string, { images, labels, count }: LabelledImages): Promise<void> => {
    await writeFile(
      join(folder, `${prefix}-images-idx3-ubyte`),
      writeIdx({ shape: [count, 28, 28], data: images }),
    );
    await writeFile(join(folder, `${prefix}-labels-idx1-ubyte`), writeIdx({ shape: [count], data: labels }));
  };
  await write('train', train);
  await write('t10k', test);
  return folder;
}
