import { fork } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEngine, softwareVulkan } from '@batchwise/backend/node';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { batchwise, temporaryFolder, type Outcome } from './batchwise.ts';

interface Engine {
  readonly engine: string;
  readonly works: boolean;
  readonly verdict: string;
  readonly reason: string;
  readonly remedy: string;
  readonly device: string | null;
  readonly memoryBytes: number | null;
  readonly limits: { readonly webgpu: { readonly maxBufferSize: number } | null };
  readonly losses: readonly number[];
  readonly lossDifference: number | null;
  readonly firstStepMs: number | null;
  readonly stepMs: number | null;
}

interface Doctor {
  readonly machine: { readonly node: string; readonly memory: { readonly totalBytes: number } };
  readonly reference: { readonly engine: string | null; readonly losses: readonly number[] };
  readonly engines: readonly Engine[];
  readonly auto: { readonly engine: string; readonly reason: string };
}

/** Of the probe's task, by a computation in double precision that has nothing of TensorFlow.js. */
const EXACT_LOSSES = [2.3180147, 2.2251472, 2.0972189];

let out: string;
beforeAll(async () => {
  out = await temporaryFolder();
});

let runs = 0;
async function doctor(
  args: readonly string[],
  options: Parameters<typeof batchwise>[1] = {},
): Promise<Outcome & { found: Doctor; engine: (name: string) => Engine }> {
  const json = join(out, `${(runs += 1)}.json`);
  const outcome = await batchwise(['doctor', '--json', json, ...args], options);
  const found = JSON.parse(await readFile(json, 'utf8').catch(() => 'null')) as Doctor;
  const engine = (name: string): Engine => {
    const report = found.engines.find((one) => one.engine === name);
    if (!report) throw new Error(`no report on ${name}`);
    return report;
  };
  return { ...outcome, found, engine };
}

/** A cache in which `setup-native` seems to have put a TensorFlow.js for Node, which is this script. */
async function cacheWithNative(script: string): Promise<{ BATCHWISE_CACHE_DIR: string }> {
  const cache = await temporaryFolder();
  const entry = join(cache, 'native/cpu-1/node_modules/@tensorflow/tfjs-node/dist/index.js');
  await mkdir(dirname(entry), { recursive: true });
  await writeFile(entry, script);
  const record = { schema: 'batchwise.native/1', folder: 'cpu-1', tensorflow: '2.21.0', origin: 'pip' };
  await writeFile(join(cache, 'native/cpu.json'), JSON.stringify(record));
  return { BATCHWISE_CACHE_DIR: cache };
}

describe('batchwise doctor', () => {
  it('trains on each engine, compares and times them, and says what auto takes', async () => {
    const { code, stdout, stderr, found, engine } = await doctor(['--only', 'wasm,cpu']);
    expect([code, stderr]).toEqual([0, '']);
    expect(found).toMatchObject({
      schema: 'batchwise.doctor/1',
      reference: { engine: 'cpu', tolerance: 0.002 },
    });
    expect(found.machine.node).toBe(process.versions.node);
    expect(found.engines.map((one) => [one.engine, one.works, one.verdict])).toEqual([
      ['wasm', true, 'trains'],
      ['cpu', true, 'trains'],
    ]);
    for (const { losses, lossDifference, firstStepMs, stepMs } of found.engines) {
      losses.forEach((loss, step) => expect(loss).toBeCloseTo(EXACT_LOSSES[step] ?? NaN, 5));
      expect(losses).toHaveLength(3);
      expect(lossDifference).toBeLessThan(1e-5);
      expect(firstStepMs).toBeGreaterThan(0);
      expect(stepMs).toBeGreaterThan(0);
    }
    expect(engine('cpu').losses).toEqual(found.reference.losses);
    // What the steps may take of the heap of 4 GiB.
    expect(engine('wasm').memoryBytes).toBe(Math.min(3.2e9, found.machine.memory.totalBytes));
    expect(found.auto.engine).toBe((await loadEngine('auto')).name);
    expect(stdout.split('\n\n').at(-1)).toMatch(
      new RegExp(`^auto +takes ${found.auto.engine}: [^\n]+(\n +[^\n]+)*\n$`),
    );
    for (const line of stdout.split('\n').filter((text) => !text.startsWith('Record')))
      expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each([
    ['is absent', undefined, 'unavailable', 'not installed', 'npx batchwise setup-native'],
    [
      'crashes',
      `process.kill(process.pid, 'SIGILL'); setTimeout(() => {}, 10_000);`,
      'crashed',
      'its process ended while loading (SIGILL): this processor lacks an instruction that the engine was built for',
      'Meanwhile: npx batchwise train --backend wasm',
    ],
    [
      'throws',
      `throw new Error('libtensorflow.so.2: cannot open shared object file');`,
      'unavailable',
      'libtensorflow.so.2: cannot open shared object file',
      'npx batchwise setup-native',
    ],
  ])('goes on where an engine %s', async (_what, script, verdict, reason, remedy) => {
    const env = script === undefined ? {} : await cacheWithNative(script);
    const { code, stdout, found, engine } = await doctor(['--only', 'native,wasm'], { env });
    expect(code).toBe(0);
    expect(engine('native')).toMatchObject({
      works: false,
      verdict,
      remedy,
      reason: expect.stringContaining(reason),
    });
    expect(engine('wasm').works).toBe(true);
    expect(found.reference.engine).toBe(null);
    expect(stdout).toContain(remedy);
  });

  it('goes on where an engine hangs', async () => {
    const env = await cacheWithNative('for (;;);');
    const { code, stdout, engine } = await doctor(['--only', 'native', '--time-limit', '2'], { env });
    expect(code).toBe(1);
    expect(engine('native')).toMatchObject({
      works: false,
      verdict: 'timedOut',
      reason: expect.stringMatching(/^still (starting|loading) after 2 s$/),
      remedy: 'To wait longer: npx batchwise doctor --time-limit 300',
    });
    expect(stdout).toMatch(/^auto +takes no engine: still (starting|loading) after 2 s$/m);
  });

  it('tells an engine that trains wrongly, and ends with 1 where there is no other', async () => {
    const layers = fileURLToPath(import.meta.resolve('@tensorflow/tfjs-layers'));
    const core = fileURLToPath(import.meta.resolve('@tensorflow/tfjs-core'));
    const cpu = fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-cpu'));
    // The plain JavaScript engine under another name, with gradients of convolutions that are half of the right ones.
    const script = `
      const core = require(${JSON.stringify(core)});
      const layers = require(${JSON.stringify(layers)});
      require(${JSON.stringify(cpu)});
      core.enableProdMode();
      core.copyRegisteredKernels('cpu', 'tensorflow');
      core.registerBackend('tensorflow', () => core.findBackendFactory('cpu')());
      const { kernelFunc } = core.getKernel('Conv2DBackpropFilter', 'tensorflow');
      core.unregisterKernel('Conv2DBackpropFilter', 'tensorflow');
      core.registerKernel({ kernelName: 'Conv2DBackpropFilter', backendName: 'tensorflow', kernelFunc: (args) => {
        const info = kernelFunc(args);
        args.backend.data.get(info.dataId).values.forEach((value, i, all) => { all[i] = value / 2; });
        return info;
      } });
      const version = { tfjs: 'planted' };
      module.exports = { ...core, ...layers, version, default: undefined };`;
    const { code, stderr, engine } = await doctor(['--only', 'native'], {
      env: await cacheWithNative(script),
    });
    expect(engine('native')).toMatchObject({ verdict: 'trainsWrongly', works: false });
    expect(engine('native').losses[0]).toBeCloseTo(EXACT_LOSSES[0] ?? NaN, 5);
    expect(engine('native').lossDifference).toBeGreaterThan(0.005);
    expect(engine('native').reason).toMatch(
      /^trains wrongly: losses 2\.318, 2\.\d+, \d\.\d+ where 2\.318, 2\.225, 2\.097/,
    );
    expect([code, stderr]).toEqual([
      1,
      'batchwise: no engine trains here; what is said above of each says why.\n',
    ]);
  });

  /** Starts doctor on an engine that hangs, and sends it the signal once its probe does. */
  async function signalled(signal: NodeJS.Signals): Promise<Outcome & { probe: number; json: string }> {
    const pidFile = join(out, `${signal}.pid`);
    const script = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); for (;;);`;
    const json = join(out, `${signal}.json`);
    let send = (): unknown => undefined;
    const ended = batchwise(['doctor', '--only', 'native', '--json', json], {
      env: await cacheWithNative(script),
      onOutput: (_, kill) => (send = () => kill(signal)),
    });
    const probe = await vi.waitFor(
      async () => {
        const text = await readFile(pidFile, 'utf8');
        expect(text).not.toBe('');
        return Number(text);
      },
      { timeout: 30_000 },
    );
    send();
    return { ...(await ended), probe, json };
  }

  it('ends with 130 on Ctrl-C, and so does what it started', async () => {
    const { code, stdout, stderr, probe, json } = await signalled('SIGINT');
    expect([code, stderr, stdout.endsWith('Interrupted.\n')]).toEqual([130, '', true]);
    expect(() => process.kill(probe, 0)).toThrow('ESRCH');
    expect(await readdir(out)).not.toContain(basename(json));
  });

  it('leaves no probe behind when it is killed, also where that hangs', async () => {
    const { probe } = await signalled('SIGKILL');
    await vi.waitFor(() => expect(() => process.kill(probe, 0)).toThrow('ESRCH'), { timeout: 30_000 });
  });

  it.each([
    [['--only', 'wasm,quantum'], 2, 'Give some of cuda,native,webgpu,wasm,cpu, with commas between them.'],
    [['--only', ''], 2, 'Give some of cuda,native,webgpu,wasm,cpu'],
    [['--time-limit', '0'], 2, 'Give seconds, above 0 and up to 86400.'],
    [['--json'], 2, "option '--json <file>' argument missing"],
    [['--fast'], 2, "unknown option '--fast'"],
    [['--json', '/'], 1, '--json / is a directory; give the name of a file.'],
    [['--json', '/dev/null/d.json'], 1, '--json cannot write in /dev/null'],
  ])('refuses %o before any work', async (args, code, message) => {
    const outcome = await batchwise(['doctor', ...args]);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
  });
});

describe('webgpu in the doctor', () => {
  it('is software where Chromium brings it, else no GPU, unless there is one', async () => {
    const { engine, code } = await doctor(['--only', 'webgpu'], { env: { NO_COLOR: '1' } });
    const { verdict, works, losses, device, limits } = engine('webgpu');
    if (!softwareVulkan() && verdict === 'noGpu')
      return expect([works, losses, code]).toEqual([false, [], 1]);
    expect(['trains', 'software']).toContain(verdict);
    expect(verdict === 'software').toBe(device?.endsWith('(software)'));
    losses.forEach((loss, step) => expect(Math.abs(loss - (EXACT_LOSSES[step] ?? NaN))).toBeLessThan(0.002));
    expect([works, losses.length, code]).toEqual([true, 3, 0]);
    expect(limits.webgpu?.maxBufferSize).toBeGreaterThanOrEqual(2 ** 28);
  });

  it("finds Dawn's null device, which needs no GPU", async () => {
    const probe = fileURLToPath(new URL('../../apps/autotune/dist/probe.js', import.meta.url));
    const request = { task: 'engine', engine: 'webgpu', webgpu: { dawn: ['backend=null'] }, train: false };
    const child = fork(probe, [JSON.stringify(request), String(process.pid)], { execArgv: [] });
    const answer = await new Promise((resolve) => {
      child.on('message', (message: { kind: string }) => message.kind !== 'phase' && resolve(message));
      child.once('exit', resolve);
    });
    child.kill('SIGKILL');
    expect(answer).toMatchObject({
      kind: 'loaded',
      facts: { engine: 'webgpu', webgpu: { maxBufferSize: expect.any(Number) } },
    });
  });
});
