import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { setupNative, type Machine, type SetupOptions } from '../src/index.ts';
import { checked, failed, fakeMachine, notThere, temporaryFolder, type Errand } from './fake-machine.ts';

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await temporaryFolder();
});

type Answers = Parameters<typeof fakeMachine>[0];

const setUp = (answers: Answers, options: Partial<SetupOptions> = {}, over: Partial<Machine> = {}) =>
  setupNative({ cacheDir, from: 'pip', machine: fakeMachine(answers, over).machine, ...options });

describe('what is missing is named, with what to do', () => {
  it.each<[Errand, string]>([
    [
      'compiler',
      "Building TensorFlow's addon needs a C++ compiler (Debian: apt-get install g++; Fedora: dnf install gcc-c++).",
    ],
    ['make', "Building TensorFlow's addon needs make (Debian: apt-get install make)."],
    [
      'python',
      "Building TensorFlow's addon needs Python 3 (Debian: apt-get install python3 python3-pip), or its path in PYTHON.",
    ],
    ['pip', "Building TensorFlow's addon needs pip for python3 (Debian: apt-get install python3-pip)."],
    [
      'npmInstall',
      'npm is not on the path; it comes with Node from nodejs.org (Debian: apt-get install npm).',
    ],
  ])('%s', async (errand, message) => {
    await expect(setUp({ [errand]: notThere })).rejects.toMatchObject({ code: 'missingNeed', message });
    expect(existsSync(join(cacheDir, 'native', 'cpu.json'))).toBe(false);
  });

  it('all at once', async () => {
    await expect(setUp({ compiler: notThere, make: notThere, pip: notThere })).rejects.toThrow(
      /needs a C\+\+ compiler .*; and make .*; and pip for python3 /,
    );
  });

  it("Node's headers", async () => {
    const output =
      'gyp http GET https://nodejs.org/download/…\ngyp ERR! stack Error: getaddrinfo ENOTFOUND nodejs.org';
    await expect(setUp({ build: failed(output) })).rejects.toMatchObject({
      code: 'missingNeed',
      message:
        "Building needs Node's header files, and they could not be downloaded (gyp ERR! stack Error: getaddrinfo ENOTFOUND " +
        'nodejs.org). Install them (Debian: apt-get install libnode-dev) and name their place, such as ' +
        'npm_config_nodedir=/usr: the folder that has include/node/node_api.h.',
    });
  });

  it('room on the disk, before anything is fetched', async () => {
    const fake = fakeMachine({}, { freeBytes: () => Promise.resolve(1.5 * 2 ** 30) });
    await expect(setupNative({ cacheDir, machine: fake.machine })).rejects.toMatchObject({
      code: 'missingNeed',
      message:
        `Setting up native TensorFlow takes 2.5 GiB for a while, and ${cacheDir} has 1.5 GiB free. Make room, or set ` +
        'BATCHWISE_CACHE_DIR to a folder on a larger disk.',
    });
    expect(fake.errands).toEqual([]);
  });

  it('is the reason after the official download did not work either', async () => {
    await expect(setUp({ compiler: notThere }, { from: undefined } as object)).rejects.toThrow(
      /needs a C\+\+ compiler .*\(Before that, the official download does not work here: .*ENOTFOUND/,
    );
  });
});

describe('what does not work is said', () => {
  it.each<[string, Answers, string]>([
    [
      'no such wheel',
      {
        pipDownload: failed(
          'ERROR: Could not find a version\nERROR: No matching distribution found for x==1',
        ),
      },
      'the Python wheel does not work here: pip: ERROR: No matching distribution found for x==1.',
    ],
    [
      'a file that is not the known one',
      {
        pipDownload: failed(
          'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n  Got 00',
        ),
      },
      'pip: the index gave a file whose SHA-256 is not the known one; it was thrown away.',
    ],
    [
      'a wheel that is cut short',
      { unpack: failed('zipfile.BadZipFile: x') },
      'the wheel could not be unpacked:',
    ],
    [
      'a build that fails',
      { build: failed('a.cc:1: fatal error: y.h: gone\nmake: *** [x] Error 1') },
      'y.h: gone',
    ],
    [
      'a build that crashes at its end',
      { check: { ...checked('2.21.0'), exitCode: 134 } },
      'what was built does not work',
    ],
    [
      'a build that computes wrongly',
      { check: failed('Error: A matrix product came out as 1') },
      'came out as 1',
    ],
    [
      'npm',
      { npmInstall: failed('npm error connect ECONNREFUSED 127.0.0.1:1') },
      'npm could not install @tensorflow',
    ],
  ])('%s', async (_what, answers, message) => {
    const setup = setUp(answers);
    await expect(setup).rejects.toMatchObject({ code: 'noTensorflow' });
    await expect(setup).rejects.toThrow(message);
  });

  it('a system that cannot build it', async () => {
    await expect(setUp({}, {}, { platform: 'darwin' })).rejects.toThrow(
      'the Python wheel does not work here: the addon is built on Linux only, and this is darwin.',
    );
  });

  it('a folder without TensorFlow', async () => {
    const from = await temporaryFolder();
    await expect(setUp({}, { from })).rejects.toThrow(
      `${from} does not work here: ${from} holds no TensorFlow: looked for`,
    );
    await expect(setUp({}, { from })).rejects.not.toThrow('--from');
    await expect(setUp({ build: failed('no') })).rejects.toThrow(/give its folder with --from\.$/);
  });

  it('memory statistics that could not be built are a notice, no failure', async () => {
    const notices: string[] = [];
    const { location } = await setUp(
      { buildAllocator: failed('a.cc:3: error: no member named GetStats') },
      { onNotice: (line) => notices.push(line) },
    );
    expect(location.allocatorAddon).toBeUndefined();
    expect(notices).toEqual([
      'Memory statistics of TensorFlow will not be at hand: a.cc:3: error: no member named GetStats',
    ]);
  });

  it.each([
    [{ from: 'official', tensorflow: '2.21.0' }, 'The official download is TensorFlow 2.9.1, not 2.21.0'],
    [{ from: '/opt/tf', tensorflow: '2.21.0' }, 'The TensorFlow in /opt/tf has a version of its own'],
  ])('options that contradict each other: %o', async (options, message) => {
    const setup = setUp({}, options);
    await expect(setup).rejects.toMatchObject({ code: 'invalidOptions' });
    await expect(setup).rejects.toThrow(message);
  });
});
