import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { nativeFailure, nativeLocation, setupNative, type Command, type SetupOptions } from '../src/index.ts';
import {
  failed,
  fakeMachine,
  notThere,
  temporaryFolder,
  type Errand,
  type FakeMachine,
} from './fake-machine.ts';

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await temporaryFolder();
});

const setUp = ({ machine }: FakeMachine, options: Partial<SetupOptions> = {}) =>
  setupNative({ cacheDir, machine, ...options });

/** A program that does nothing until it is ended. */
const hangs = ({ signal }: Command): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });

async function hasBegun({ errands }: FakeMachine, errand: Errand): Promise<void> {
  while (!errands.includes(errand)) await pause(1);
}

describe('a failure', () => {
  const broken = () => fakeMachine({ build: failed('a.cc:1: error: no'), official: failed('Error: down') });

  it('is remembered with its reason, until a setup works', async () => {
    expect(nativeFailure(cacheDir, 'cpu')).toBeUndefined();
    const reason: unknown = await setUp(broken()).catch((error: unknown) => error);
    expect(nativeFailure(cacheDir, 'cpu')).toBe((reason as Error).message);
    expect(nativeFailure(cacheDir, 'cpu')).toContain('a.cc:1: error: no');
    expect(nativeFailure(cacheDir, 'gpu')).toBeUndefined();
    expect(await readdir(join(cacheDir, 'native'))).toEqual(['cpu.failed.json']);
    await setUp(fakeMachine());
    expect(nativeFailure(cacheDir, 'cpu')).toBeUndefined();
  });

  it('of a way that the caller chose says nothing about the others', async () => {
    await expect(setUp(broken(), { from: 'pip' })).rejects.toThrow();
    await expect(setUp(broken(), { tensorflow: '2.20.0' })).rejects.toThrow();
    expect(nativeFailure(cacheDir, 'cpu')).toBeUndefined();
  });

  it('is not what an interruption is', async () => {
    const interrupt = new AbortController();
    const setup = setUp(fakeMachine({ npmInstall: hangs }), { signal: interrupt.signal });
    interrupt.abort(new Error('Ctrl-C'));
    await expect(setup).rejects.toThrow('Ctrl-C');
    expect(nativeFailure(cacheDir, 'cpu')).toBeUndefined();
  });

  it('that was cut short while it was written counts as none', async () => {
    await mkdir(join(cacheDir, 'native'));
    await writeFile(join(cacheDir, 'native', 'cpu.failed.json'), '{"schema":"batchwise.nat');
    expect(nativeFailure(cacheDir, 'cpu')).toBeUndefined();
  });

  it('is told though nothing can be written', async () => {
    const file = join(cacheDir, 'file');
    await writeFile(file, '');
    await expect(
      setupNative({ cacheDir: file, machine: fakeMachine().machine, unattended: true }),
    ).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});

describe('a setup that nobody asked for', () => {
  it.each<[string, Parameters<typeof fakeMachine>, string, string[]]>([
    [
      'a platform without known wheels',
      [{}, { arch: 'arm64' }],
      'It was not tried on linux-arm64, for which no TensorFlow was tested here.',
      [],
    ],
    ['a system that cannot build', [{}, { platform: 'darwin' }], 'It was not tried on darwin-x64', []],
    [
      'a machine without compiler and pip',
      [{ compiler: notThere, pip: notThere }],
      "Building TensorFlow's addon needs a C++ compiler (Debian: apt-get install g++; Fedora: dnf install gcc-c++); and pip",
      ['compiler', 'compiler', 'compiler', 'make', 'python', 'pip'],
    ],
  ])('downloads nothing on %s', async (_what, machine, message, errands) => {
    const fake = fakeMachine(...machine);
    const setup = setUp(fake, { unattended: true });
    await expect(setup).rejects.toMatchObject({ code: 'missingNeed' });
    await expect(setup).rejects.toThrow(message);
    expect(fake.errands).toEqual(errands);
    expect(nativeFailure(cacheDir, 'cpu')).toContain(message);
  });

  it('goes ahead where all is at hand', async () => {
    await setUp(fakeMachine(), { unattended: true });
    expect(nativeLocation(cacheDir, 'cpu')).toMatchObject({ tensorflow: '2.21.0', origin: 'pip' });
  });

  it('gives up after its time, which is a failure and leaves nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const fake = fakeMachine({ pipDownload: hangs });
    const setup = setUp(fake, { unattended: true, timeLimitSeconds: 480 });
    const message = 'It was not done after 480 s and was stopped.';
    const ended = expect(setup).rejects.toMatchObject({ code: 'noTensorflow', message });
    await hasBegun(fake, 'pipDownload');
    vi.advanceTimersByTime(479_999);
    expect(nativeFailure(cacheDir, 'cpu')).toBeUndefined();
    vi.advanceTimersByTime(1);
    await ended;
    expect(nativeFailure(cacheDir, 'cpu')).toBe(message);
    expect(await readdir(join(cacheDir, 'native'))).toEqual(['cpu.failed.json']);
  });
});

describe('a host that says nothing', () => {
  it.each<[string, Errand, string]>([
    ['npm', 'npmInstall', 'npm could not install @tensorflow/tfjs-node: nothing arrived for 60 s'],
    ['pip', 'pipDownload', 'the Python wheel does not work here: nothing arrived for 60 s'],
    [
      "Node's headers",
      'build',
      "Building needs Node's header files, and they could not be downloaded (nothing arrived from nodejs.org for 60 s)",
    ],
    ['the official host', 'official', 'the official download does not work here: nothing arrived for 10 s'],
  ])('%s: is given up', async (_what, errand, message) => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
    onTestFinished(() => void vi.useRealTimers());
    const fake = fakeMachine({ [errand]: hangs });
    const from = errand === 'official' ? 'official' : 'pip';
    let outcome: string | undefined;
    const setup = setUp(fake, { from }).catch((error: unknown) => (outcome = String(error)));
    await hasBegun(fake, errand);
    const [, limit = NaN] = /for (\d+) s/.exec(message)?.map(Number) ?? [];
    const start = performance.now();
    for (let i = 0; i < 300 && outcome === undefined; i += 1) {
      vi.advanceTimersByTime(500);
      // The folders are measured in real time.
      await pause(2);
    }
    await setup;
    expect(outcome).toContain(message);
    expect(performance.now() - start).toBeGreaterThanOrEqual(1000 * limit);
  });
});
