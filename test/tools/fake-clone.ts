import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';

/** Writes what npm and Nx were asked to do to log.txt; `FAKE_*` variables make them slow or fail. */
const fakeNpm = `
const { appendFileSync, copyFileSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('log.txt', 'npm ' + process.argv[2] + '\\n');
setTimeout(() => {
  if (process.env.FAKE_NPM_EXIT) process.exit(Number(process.env.FAKE_NPM_EXIT));
  mkdirSync('node_modules/nx', { recursive: true });
  writeFileSync('node_modules/nx/package.json', '{ "bin": { "nx": "nx.cjs" } }');
  copyFileSync('fake-nx.cjs', 'node_modules/nx/nx.cjs');
  copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
}, Number(process.env.FAKE_NPM_MS ?? 0));
`;
const fakeNx = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('log.txt', 'nx ' + process.argv[4] + '\\n');
if (process.env.FAKE_NX_EXIT) {
  console.log('a.ts(1,1): error TS1');
  process.exit(Number(process.env.FAKE_NX_EXIT));
}
mkdirSync('packages/a/dist', { recursive: true });
writeFileSync('packages/a/dist/index.js', 'built');
console.log('✔  nx run a:build');
`;

/** Stands for the built app: FAKE_APP_MS makes it slow, FAKE_APP_EXIT lets it fail. */
const fakeApp = `
import { appendFileSync } from 'node:fs';
process.once('SIGTERM', () => {
  appendFileSync('log.txt', 'batchwise stopped\\n');
  process.exit(130);
});
appendFileSync('log.txt', 'batchwise ' + process.argv.slice(2).join(' ') + '\\n');
console.log('Setting up native TensorFlow');
setTimeout(() => process.exit(Number(process.env.FAKE_APP_EXIT ?? 0)), Number(process.env.FAKE_APP_MS ?? 0));
`;

export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

export interface FakeClone {
  readonly folder: string;
  /** Starts tools/bootstrap.mjs. */
  start(
    env?: NodeJS.ProcessEnv,
    ...args: readonly string[]
  ): { child: ChildProcess; ended: Promise<Outcome> };
  /** What npm and Nx were asked to do so far. */
  log(): readonly string[];
}

/** A clone with one package, the real tools, and stand-ins for npm and Nx, and for the app where it is asked for. */
export function fakeClone({ withApp = false } = {}): FakeClone {
  const folder = temporaryFolder();
  const isTool = (path: string) => basename(path) !== 'oldest-tfjs';
  cpSync(join(root, 'tools'), join(folder, 'tools'), { recursive: true, filter: isTool });
  writeTree(folder, {
    'package.json': { name: 'fake', version: '1.0.0', workspaces: ['packages/*'] },
    'package-lock.json': { packages: { '': {}, 'node_modules/nx': { version: '1.0.0' } } },
    'packages/a/package.json': { name: 'a', version: '1.0.0', scripts: { build: 'tsup' } },
    'packages/a/src/index.ts': 'export const a = 1;',
    'npm-cli.js': fakeNpm,
    'fake-nx.cjs': fakeNx,
    ...(withApp && { 'apps/autotune/bin/batchwise.mjs': fakeApp }),
  });
  const start: FakeClone['start'] = (env = {}, ...args) => {
    const child = spawn(process.execPath, ['tools/bootstrap.mjs', ...args], {
      cwd: folder,
      env: {
        ...process.env,
        BATCHWISE_SETUP_NATIVE: undefined,
        npm_execpath: join(folder, 'npm-cli.js'),
        ...env,
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += piece));
    const ended = new Promise<Outcome>((resolve) =>
      child.once('close', (exitCode) => resolve({ exitCode, output })),
    );
    return { child, ended };
  };
  const logFile = join(folder, 'log.txt');
  const log = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').trim().split('\n') : []);
  return { folder, start, log };
}
