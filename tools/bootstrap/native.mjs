// @ts-check
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../child-process.mjs';

/**
 * Lets the built app try, once per cache, to set up native TensorFlow. It says what it does; whatever goes wrong is told
 * there, and training goes on with the next best engine. BATCHWISE_SETUP_NATIVE=never leaves it out.
 * @param {string} root
 * @param {{ readonly signal: AbortSignal, readonly report: (line: string) => void }} options
 */
export async function setUpNative(root, { signal, report }) {
  const app = join(root, 'apps', 'autotune', 'bin', 'batchwise.mjs');
  if (process.env.BATCHWISE_SETUP_NATIVE === 'never' || !existsSync(app)) return;
  const command = { program: process.execPath, args: [app, 'setup-native', '--once'] };
  const { exitCode } = await run(command, { cwd: root, signal, inherit: true });
  signal.throwIfAborted();
  if (exitCode !== 0) report(`native TensorFlow was not set up (exit code ${exitCode}); going on without it`);
}
