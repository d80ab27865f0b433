import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { nativeLocation, setupNative, type SetupOptions, type SetupProgress } from '../src/index.ts';
import {
  checked,
  failed,
  fakeMachine,
  temporaryFolder,
  WHEEL_FILES,
  writeFiles,
  type FakeMachine,
} from './fake-machine.ts';

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await temporaryFolder();
});

const setUp = ({ machine }: FakeMachine, options: Partial<SetupOptions> = {}) =>
  setupNative({ cacheDir, machine, ...options });

/** What lies in the cache, folder names without their random end. */
const contents = async (): Promise<string[]> =>
  (await readdir(join(cacheDir, 'native')).catch(() => []))
    .map((name) => name.replace(/-\w{6}$/, '-*'))
    .sort();

describe('setupNative', () => {
  it('takes the wheel where the official download does not work, and says so', async () => {
    const fake = fakeMachine();
    const notices: string[] = [];
    const steps: SetupProgress[] = [];
    const { location, wasThere } = await setUp(fake, {
      onNotice: (line) => notices.push(line),
      onProgress: (progress) => steps.push(progress),
    });
    expect(wasThere).toBe(false);
    expect(location).toMatchObject({
      variant: 'cpu',
      tensorflow: '2.21.0',
      origin: 'pip',
      wheels: { 'tensorflow_cpu 2.21.0': 'ab'.repeat(32) },
    });
    expect(existsSync(location.entry)).toBe(true);
    expect(notices).toEqual([
      'the official download does not work here: npm error Error: getaddrinfo ENOTFOUND storage.googleapis.com',
    ]);
    expect([...new Set(steps.map(({ step }) => step))]).toEqual([
      'Installing @tensorflow/tfjs-node 4.22.0 from npm',
      'Downloading TensorFlow 2.9.1 for @tensorflow/tfjs-node',
      'Downloading tensorflow-cpu 2.21.0 with pip',
      'Building the addon',
      'Building the reader of memory statistics',
      'Loading it and computing',
    ]);
    const deps = join(dirname(dirname(location.entry)), 'deps');
    expect(await readFile(join(deps, 'lib/libtensorflow.so'), 'utf8')).toBe('libtensorflow_cc.so.2');
    expect(await readlink(join(deps, 'lib/libtensorflow_cc.so.2'))).toMatch(/^(\.\.\/)+site\/tensorflow\//);
    expect(existsSync(join(deps, 'include'))).toBe(false);
  });

  it('takes the official download where it works', async () => {
    const fake = fakeMachine({ official: { exitCode: 0, output: '' }, check: checked('2.9.1') });
    const { location } = await setUp(fake);
    expect(location).toMatchObject({ tensorflow: '2.9.1', origin: 'official' });
    expect(fake.errands).toEqual(['npmInstall', 'official', 'check']);
  });

  it('takes the next way when what was built does not load', async () => {
    let checks = 0;
    const fake = fakeMachine({
      official: { exitCode: 0, output: '' },
      check: () => ((checks += 1) === 1 ? failed('Error: GLIBC_2.38 not found') : checked('2.21.0')),
    });
    expect((await setUp(fake)).location.origin).toBe('pip');
  });

  it('builds from the folder of an installed TensorFlow, and from nothing else', async () => {
    const directory = await temporaryFolder();
    await writeFiles(directory, WHEEL_FILES);
    const fake = fakeMachine({ check: checked('2.18.0') });
    const { location } = await setUp(fake, { from: directory });
    expect(location).toMatchObject({ tensorflow: '2.18.0', origin: 'directory', directory });
    expect(fake.errands).not.toContain('official');
    expect(fake.errands).not.toContain('pipDownload');
    const library = join(dirname(dirname(location.entry)), 'deps/lib/libtensorflow_cc.so.2');
    expect(await readlink(library)).toBe(join(directory, 'libtensorflow_cc.so.2'));
  });

  it('keeps all that npm, node-gyp and pip write inside the cache', async () => {
    const fake = fakeMachine();
    await setUp(fake);
    for (const { env = {}, cwd = cacheDir } of fake.commands) {
      expect(cwd.startsWith(cacheDir)).toBe(true);
      for (const name of ['TMPDIR', 'npm_config_cache', 'npm_config_devdir'])
        expect(env[name]?.startsWith(join(cacheDir, 'native', 'cpu-'))).toBe(true);
      expect(env['PIP_NO_CACHE_DIR']).toBe('1');
    }
    expect(await contents()).toEqual(['cpu-*', 'cpu.json']);
  });

  it('asks pip for known versions by checksum, and for others by version', async () => {
    const download = async (options: Partial<SetupOptions>): Promise<string> => {
      const fake = fakeMachine({ check: checked(options.tensorflow ?? '2.21.0') });
      await setUp(fake, { from: 'pip', ...options });
      const { args = [] } = fake.commands[fake.errands.indexOf('pipDownload')] ?? {};
      return args.join(' ');
    };
    if (process.platform === 'linux' && process.arch === 'x64') {
      expect(await download({})).toMatch(
        /--no-deps --require-hashes --requirement \S+cpu-2\.21\.0-linux-x64\.txt$/,
      );
      expect(await download({ gpu: true })).toMatch(
        /--require-hashes --requirement \S+gpu-2\.21\.0-linux-x64\.txt$/,
      );
    }
    expect(await download({ tensorflow: '2.20.0' })).toMatch(/--no-deps tensorflow-cpu==2\.20\.0$/);
    expect(await download({ tensorflow: '2.20.0', gpu: true })).toMatch(/ tensorflow\[and-cuda\]==2\.20\.0$/);
  });

  it('asks for the wheel of another Python when there is none for this one', async () => {
    let asked = 0;
    const fake = fakeMachine({
      pipDownload: async ({ args }) => {
        asked += 1;
        if (!args.includes('3.12')) return failed('ERROR: No matching distribution found for tensorflow-cpu');
        await writeFiles(args[args.indexOf('--dest') + 1] ?? '', ['tensorflow_cpu-2.21.0-cp312.whl']);
        return { exitCode: 0, output: '' };
      },
    });
    await setUp(fake, { from: 'pip' });
    expect(asked).toBe(2);
  });
});

describe('a second setup', () => {
  it('does nothing where the first one fits, and runs no program', async () => {
    const first = await setUp(fakeMachine());
    const again = fakeMachine();
    expect(await setUp(again)).toEqual({ location: first.location, wasThere: true });
    expect(await setUp(again, { from: 'pip', tensorflow: '2.21.0' })).toMatchObject({ wasThere: true });
    expect(again.commands).toEqual([]);
  });

  it('replaces it for another version only when the new one works', async () => {
    const first = await setUp(fakeMachine());
    let duringBuild: unknown;
    const better = fakeMachine({
      build: () => {
        duringBuild = nativeLocation(cacheDir, 'cpu');
        return { exitCode: 0, output: '' };
      },
      check: checked('2.20.0'),
    });
    const { location } = await setUp(better, { tensorflow: '2.20.0' });
    expect(duringBuild).toEqual(first.location);
    expect(location.tensorflow).toBe('2.20.0');
    expect(nativeLocation(cacheDir, 'cpu')).toEqual(location);
    expect(await contents()).toEqual(['cpu-*', 'cpu.json']);
  });

  it('keeps what another process has set up in the meantime', async () => {
    let other: unknown;
    const slow = fakeMachine({
      build: async () => {
        other = (await setUp(fakeMachine())).location;
        return { exitCode: 0, output: '' };
      },
    });
    const { location } = await setUp(slow);
    expect(location).toEqual(other);
    expect(await contents()).toEqual(['cpu-*', 'cpu.json']);
  });

  it('leaves the first one as it is when it fails', async () => {
    const { location } = await setUp(fakeMachine());
    const worse = fakeMachine({ build: failed('make: *** Error 1\nfatal error: x.h: No such file') });
    await expect(setUp(worse, { tensorflow: '2.20.0' })).rejects.toMatchObject({ code: 'noTensorflow' });
    expect(nativeLocation(cacheDir, 'cpu')).toEqual(location);
    expect(await contents()).toEqual(['cpu-*', 'cpu.json']);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const interrupt = new AbortController();
    const reason = new Error('Ctrl-C');
    const fake = fakeMachine({
      pipDownload: ({ signal }) => {
        interrupt.abort(reason);
        signal?.throwIfAborted();
        return { exitCode: 0, output: '' };
      },
    });
    await expect(setUp(fake, { signal: interrupt.signal })).rejects.toBe(reason);
    expect(await contents()).toEqual([]);
    expect(fake.errands.at(-1)).toBe('pipDownload');
  });

  it('clears away what a killed one left, and nothing of one that runs', async () => {
    const native = join(cacheDir, 'native');
    const { pid: dead } = spawnSync(process.execPath, ['--version']);
    for (const [folder, pid] of [
      ['cpu-killed', dead],
      ['cpu-running', process.ppid],
      ['gpu-killed', dead],
    ] as const) {
      await mkdir(join(native, folder), { recursive: true });
      await writeFile(join(native, folder, 'setup.pid'), String(pid));
    }
    const { location } = await setUp(fakeMachine());
    expect((await readdir(native)).sort()).toEqual(
      [location.folder, 'cpu-running', 'cpu.json', 'gpu-killed'].sort(),
    );
  });

  it('counts a record that is cut short, or whose folder is gone, as nothing', async () => {
    const { location } = await setUp(fakeMachine());
    const record = join(cacheDir, 'native', 'cpu.json');
    const text = await readFile(record, 'utf8');
    await writeFile(record, text.slice(0, 40));
    expect(nativeLocation(cacheDir, 'cpu')).toBeUndefined();
    await writeFile(record, text.replace(location.folder, 'cpu-gone'));
    expect(nativeLocation(cacheDir, 'cpu')).toBeUndefined();
  });
});

describe('a setup for the GPU', () => {
  it('goes on to the wheel when the official TensorFlow sees no GPU, and keeps the wheel with a notice', async () => {
    const notices: string[] = [];
    const fake = fakeMachine({ official: { exitCode: 0, output: '' } });
    const { location } = await setUp(fake, { gpu: true, onNotice: (line) => notices.push(line) });
    expect(location).toMatchObject({ variant: 'gpu', origin: 'pip' });
    expect(notices).toEqual([
      'the official download does not work here: it sees no GPU',
      'TensorFlow sees no GPU here and computes on the CPU. Is the NVIDIA driver installed (nvidia-smi)?',
    ]);
  });

  it('keeps the official TensorFlow when it sees the GPU', async () => {
    const fake = fakeMachine({ official: { exitCode: 0, output: '' }, check: checked('2.9.1', true) });
    expect((await setUp(fake, { gpu: true })).location).toMatchObject({ variant: 'gpu', origin: 'official' });
    expect(nativeLocation(cacheDir, 'cpu')).toBeUndefined();
  });
});
