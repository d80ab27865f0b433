// @ts-check
// Makes a fresh clone ready to use: installs the locked dependencies and builds all workspaces. Does nothing, quickly,
// when that is already so; `npm start` and `npm test` call it first. Needs nothing but Node.
//   node tools/bootstrap.mjs [--install-only]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from './bootstrap/build.mjs';
import { install, installReason } from './bootstrap/install.mjs';
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

/** @param {boolean} wantsBuild */
async function bootstrap(wantsBuild) {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem !== undefined) throw new Error(problem);
  if (installReason(root) === undefined && (!wantsBuild || isBuilt(root))) return;

  const interruption = new AbortController();
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
  const onWait = (/** @type {string} */ holder) =>
    say(`process ${holder} is preparing this clone; waiting for it ...`);
  await withPidLock({ file: join(root, '.bootstrap.lock'), onWait, signal: interruption.signal }, () =>
    prepare(wantsBuild, interruption.signal),
  );
}

try {
  await bootstrap(!process.argv.includes('--install-only'));
} catch (error) {
  console.error(`bootstrap: ${error instanceof Error ? error.message : error}`);
  process.exitCode ??= 1;
}
