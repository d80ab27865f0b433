import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { nodeVersionProblem } from '../../tools/bootstrap/node-version.mjs';
import { writeTree } from '../support/temporary-folder.ts';
import { fakeClone, type FakeClone } from './fake-clone.ts';

const FULL = ['npm ci', 'nx build'];
const LOCK = '.bootstrap.lock';
const STAMP = 'node_modules/.batchwise-install.json';
const ok = { exitCode: 0, output: expect.any(String) };

/** A clone on which bootstrap has run, and what `change` makes the next run do. */
async function secondRun(change: (clone: FakeClone) => void): Promise<readonly string[]> {
  const clone = fakeClone();
  expect(await clone.start().ended).toEqual(ok);
  change(clone);
  expect(await clone.start().ended).toEqual(ok);
  return clone.log().slice(FULL.length);
}

describe('bootstrap', () => {
  it('installs and builds a fresh clone, saying so, then has nothing to do or say', async () => {
    const clone = fakeClone();
    const first = await clone.start().ended;
    expect(first.output).toMatch(
      /installing dependencies with npm \(not installed yet\).*building all workspaces.*nx run a:build/s,
    );
    expect(clone.log()).toEqual(FULL);
    expect(await clone.start().ended).toEqual({ exitCode: 0, output: '' });
    expect(clone.log()).toEqual(FULL);
  });

  it('only installs when asked to', async () => {
    const clone = fakeClone();
    expect(await clone.start({}, '--install-only').ended).toEqual(ok);
    expect(clone.log()).toEqual(['npm ci']);
  });

  it.each<[string, (clone: FakeClone) => void, readonly string[]]>([
    ['a changed source', ({ folder }) => writeTree(folder, { 'packages/a/src/index.ts': 'x' }), ['nx build']],
    ['a new file', ({ folder }) => writeTree(folder, { 'packages/a/src/b.ts': '' }), ['nx build']],
    [
      'a lost build',
      ({ folder }) => rmSync(join(folder, 'packages/a/dist'), { recursive: true }),
      ['nx build'],
    ],
    ['a cut-off build', ({ folder }) => writeTree(folder, { 'packages/a/dist/index.js': '' }), ['nx build']],
    ['a changed test', ({ folder }) => writeTree(folder, { 'packages/a/test/a.test.ts': 'x' }), []],
    ['a changed README', ({ folder }) => writeTree(folder, { 'packages/a/README.md': 'x' }), []],
    [
      'lost dependencies',
      ({ folder }) => rmSync(join(folder, 'node_modules'), { recursive: true }),
      ['npm ci'],
    ],
    [
      'a changed lock',
      ({ folder }) =>
        writeTree(folder, { 'package-lock.json': { packages: { 'node_modules/nx': { version: '1.0.1' } } } }),
      FULL,
    ],
    [
      'another Node',
      ({ folder }) => {
        const stamp = readFileSync(join(folder, STAMP), 'utf8');
        writeFileSync(join(folder, STAMP), stamp.replace(/-node\d+/, '-node18'));
      },
      ['npm ci'],
    ],
    ['a cut-off stamp', ({ folder }) => writeTree(folder, { [STAMP]: '{' }), []],
    ["a person's own npm ci", ({ folder }) => rmSync(join(folder, STAMP)), []],
  ])('does what is needed after %s', async (_what, change, expected) => {
    expect(await secondRun(change)).toEqual(expected);
  });

  it('says what failed when npm fails, and tries again the next time', async () => {
    const clone = fakeClone();
    const { exitCode, output } = await clone.start({ FAKE_NPM_EXIT: '7' }).ended;
    expect(exitCode).toBe(1);
    expect(output).toContain('"npm ci" failed (exit code 7)');
    expect(existsSync(join(clone.folder, LOCK))).toBe(false);
    expect(await clone.start().ended).toEqual(ok);
    expect(clone.log()).toEqual(['npm ci', ...FULL]);
  });

  it("shows the compiler's messages when the build fails, and tries again the next time", async () => {
    const clone = fakeClone();
    const { exitCode, output } = await clone.start({ FAKE_NX_EXIT: '1' }).ended;
    expect(exitCode).toBe(1);
    expect(output).toMatch(/error TS1.*the build failed/s);
    expect(await clone.start().ended).toEqual(ok);
    expect(clone.log()).toEqual([...FULL, 'nx build']);
  });
});

describe('bootstrap beside another', () => {
  it('waits, and then has nothing to do', async () => {
    const clone = fakeClone();
    const slow = { FAKE_NPM_MS: '700' };
    const outcomes = await Promise.all([
      clone.start(slow).ended,
      clone.start(slow).ended,
      clone.start(slow).ended,
    ]);
    expect(outcomes).toEqual([ok, ok, ok]);
    expect(outcomes.filter(({ output }) => output.includes('waiting for it'))).toHaveLength(2);
    expect(clone.log()).toEqual(FULL);
  });

  it('takes over at once from one that died', async () => {
    const clone = fakeClone();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(clone.folder, LOCK), String(dead));
    const outcomes = await Promise.all([clone.start().ended, clone.start().ended, clone.start().ended]);
    expect(outcomes).toEqual([ok, ok, ok]);
    expect(outcomes.filter(({ output }) => output.includes(`process ${dead} is`))).toEqual([]);
    expect(clone.log()).toEqual(FULL);
  });

  it('takes over from one that has shown no life for minutes, even if its number is in use', async () => {
    const clone = fakeClone();
    const file = join(clone.folder, LOCK);
    writeFileSync(file, String(process.pid));
    const minutesAgo = new Date(Date.now() - 300_000);
    utimesSync(file, minutesAgo, minutesAgo);
    const { exitCode, output } = await clone.start().ended;
    expect(exitCode).toBe(0);
    expect(output).not.toContain('waiting');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves nothing behind on %s', async (signal, expected) => {
    const clone = fakeClone();
    const { child, ended } = clone.start({ FAKE_NPM_MS: '60000' });
    await vi.waitFor(() => expect(clone.log()).toEqual(['npm ci']), { timeout: 10_000 });
    child.kill(signal);
    const { exitCode, output } = await ended;
    expect(exitCode).toBe(expected);
    expect(output).toContain(`Stopped by ${signal}`);
    expect(existsSync(join(clone.folder, LOCK))).toBe(false);
    expect(await clone.start().ended).toEqual(ok);
  });
});

describe('native TensorFlow', () => {
  const TRY = 'batchwise setup-native --once';

  it('is left to the app to try, after the build and at each start', async () => {
    const clone = fakeClone({ withApp: true });
    const first = await clone.start().ended;
    expect(first).toEqual(ok);
    expect(first.output).toMatch(/building all workspaces.*Setting up native TensorFlow/s);
    expect(await clone.start().ended).toEqual(ok);
    expect(clone.log()).toEqual([...FULL, TRY, TRY]);
  });

  it.each<[string, NodeJS.ProcessEnv, string[]]>([
    ['the environment says never', { BATCHWISE_SETUP_NATIVE: 'never' }, []],
    ['only the build is wanted', {}, ['--build-only']],
  ])('is not tried where %s', async (_what, env, args) => {
    const clone = fakeClone({ withApp: true });
    expect(await clone.start(env, ...args).ended).toEqual(ok);
    expect(clone.log()).toEqual(FULL);
  });

  it('is not tried by an installation alone', async () => {
    const clone = fakeClone({ withApp: true });
    expect(await clone.start({}, '--install-only').ended).toEqual(ok);
    expect(clone.log()).toEqual(['npm ci']);
  });

  it('that crashes stops nothing', async () => {
    const clone = fakeClone({ withApp: true });
    const { exitCode, output } = await clone.start({ FAKE_APP_EXIT: '134' }).ended;
    expect(exitCode).toBe(0);
    expect(output).toContain('native TensorFlow was not set up (exit code 134); going on without it');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is stopped, and waited for, on %s', async (signal, expected) => {
    const clone = fakeClone({ withApp: true });
    const { child, ended } = clone.start({ FAKE_APP_MS: '60000' });
    await vi.waitFor(() => expect(clone.log()).toContain(TRY), { timeout: 10_000 });
    child.kill(signal);
    const { exitCode, output } = await ended;
    expect([exitCode, clone.log().at(-1)]).toEqual([expected, 'batchwise stopped']);
    expect(output).toContain(`Stopped by ${signal}; run the same command to continue.`);
  });
});

describe('nodeVersionProblem', () => {
  it.each(['20.19.0', '20.20.2', '22.13.0', '22.23.3', '24.0.0', '26.10.0'])('accepts %s', (version) => {
    expect(nodeVersionProblem(version)).toBeUndefined();
  });
  it.each(['16.20.2', '18.20.0', '20.18.3', '21.7.0', '22.12.0', '23.11.0'])('refuses %s', (version) => {
    expect(nodeVersionProblem(version)).toContain(`this is ${version}`);
  });
});
