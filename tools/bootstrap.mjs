// @ts-check
// Makes a fresh clone ready to use: installs the locked dependencies, builds all workspaces, and tries once to set up
// native TensorFlow. Does nothing, quickly, when that is already so; `npm start` and `npm test` call it first. Needs
// nothing but Node.
//   node tools/bootstrap.mjs [--install-only | --build-only]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from './bootstrap/build.mjs';
import { install, installReason } from './bootstrap/install.mjs';
import { setUpNative } from './bootstrap/native.mjs';
import { nodeVersionProblem } from './bootstrap/node-version.mjs';
import { withPidLock } from './bootstrap/pid-lock.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (/** @type {string} */ line) => console.log(`bootstrap: ${line}`);

/**
 * @param {string} what
 * @param {() => Promise<void>} work
 */
async function timed(what, work) {
  const start = performance.now();
  say(`${what} ...`);
  await work();
  say(`done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/**
 * @param {boolean} wantsBuild
 * @param {AbortSignal} signal
 */
async function prepare(wantsBuild, signal) {
  const reason = installReason(root);
  if (reason !== undefined) {
    await timed(`installing dependencies with npm (${reason})`, () => install(root, signal));
  }
  if (wantsBuild && !isBuilt(root)) {
    await timed('building all workspaces', () => build(root, { signal, report: (line) => say(`  ${line}`) }));
  }
}

/** @param {{ readonly build: boolean, readonly native: boolean }} wants */
async function bootstrap(wants) {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem !== undefined) throw new Error(problem);

  const interruption = new AbortController();
  const { signal } = interruption;
  for (const [name, exitCode] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])) {
    // Once: a second signal ends this process at once, and the lock left behind is taken over.
    process.once(name, () => {
      process.exitCode = exitCode;
      interruption.abort(new Error(`Stopped by ${name}; run the same command to continue.`));
    });
  }
  if (installReason(root) !== undefined || (wants.build && !isBuilt(root))) {
    const onWait = (/** @type {string} */ holder) =>
      say(`process ${holder} is preparing this clone; waiting for it ...`);
    await withPidLock({ file: join(root, '.bootstrap.lock'), onWait, signal }, () =>
      prepare(wants.build, signal),
    );
  }
  if (wants.native) await setUpNative(root, { signal, report: say });
}

const installOnly = process.argv.includes('--install-only');
try {
  await bootstrap({ build: !installOnly, native: !installOnly && !process.argv.includes('--build-only') });
} catch (error) {
  console.error(`bootstrap: ${error instanceof Error ? error.message : error}`);
  process.exitCode ??= 1;
}
