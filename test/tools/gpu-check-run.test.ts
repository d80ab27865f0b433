import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { packArchive, writeChecksums, writeParts, type Part } from '../../tools/gpu-check/parts.mjs';
import { check, stepRunner, tryEngines } from '../../tools/gpu-check/run.mjs';
import { rowOf, whyNotTried, type Row, type Step } from '../../tools/gpu-check/steps.mjs';
import { root } from '../support/repository.ts';
import { temporaryFolder, writeTree } from '../support/temporary-folder.ts';

const step: Step = {
  step: 'train',
  engine: 'cuda',
  args: [],
  figures: ({ value }: { value: number }) => ({ twice: 2 * value }),
  complaint: ({ value }: { value: number }) => (value > 9 ? 'too much' : ''),
};
const passed = { exitCode: 0, output: '', seconds: 2, record: { value: 3 } };

describe('the row of a step', () => {
  it.each<[string, Partial<Parameters<typeof rowOf>[1]>, Partial<Row>]>([
    ['that went well', {}, { status: 'passed', reason: '', exitCode: 0, figures: { twice: 6 } }],
    [
      'that failed says what its program said of it',
      { exitCode: 1, output: 'batchwise: no GPU.\n  Take wasm.\n\n', record: undefined },
      { status: 'failed', reason: 'batchwise: no GPU.', exitCode: 1, figures: null },
    ],
    [
      'that was killed says its last line',
      { exitCode: 139, output: 'loading\nSegmentation fault\n' },
      { status: 'failed', reason: 'Segmentation fault', exitCode: 139, figures: { twice: 6 } },
    ],
    ['that said nothing', { exitCode: 143 }, { status: 'failed', reason: 'it ended with 143' }],
    ['without figures', { record: undefined }, { status: 'failed', reason: 'it wrote no figures' }],
    ['that is not good enough', { record: { value: 10 } }, { status: 'failed', reason: 'too much' }],
    [
      'with figures of another kind',
      { record: null },
      { status: 'failed', reason: expect.stringMatching(/^what it wrote cannot be read: TypeError/) },
    ],
    [
      'that took too long',
      { exitCode: null, failure: 'ended after 5 s' },
      { status: 'failed', reason: 'ended after 5 s', exitCode: null },
    ],
  ])('%s', (_title, ending, expected) => {
    expect(rowOf(step, { ...passed, ...ending })).toMatchObject({ ...expected, seconds: 2, engine: 'cuda' });
  });

  it('has the end of the log', () => {
    const output = Array.from({ length: 30 }, (_, i) => `line ${i}\n\n`).join('');
    const { log } = rowOf(step, { ...passed, output });
    expect(log).toHaveLength(20);
    expect([log[0], log[19]]).toEqual(['line 10', 'line 29']);
  });
});

const engine = (name: string, verdict: string) => ({ engine: name, verdict, reason: 'why', remedy: 'do' });

describe('an engine', () => {
  it.each([
    ['unavailable', 'not to be had: why: do'],
    ['noGpu', 'no GPU: why: do'],
    ['software', 'software: why: do'],
    ['trains', ''],
    ['trainsWrongly', ''],
    ['crashed', ''],
    ['timedOut', ''],
  ])('of which doctor says "%s" is left out for "%s"', (verdict, reason) => {
    expect(whyNotTried('cuda', { engines: [engine('cpu', 'noGpu'), engine('cuda', verdict)] })).toBe(reason);
  });

  it('is tried where doctor says nothing of it', () => {
    expect(whyNotTried('cuda', { engines: [] })).toBe('');
    expect(whyNotTried('cuda', undefined)).toBe('');
  });
});

describe('the check of all engines', () => {
  async function rowsWith(doctor: Partial<Parameters<typeof rowOf>[1]>): Promise<readonly string[]> {
    const rows: Row[] = [];
    await tryEngines(
      { pack: '', work: '/work', app: '/app' },
      (asked) =>
        Promise.resolve(
          asked.step === 'doctor'
            ? rowOf(asked, { ...passed, ...doctor })
            : rowOf({ ...step, ...asked, figures: step.figures, complaint: () => '' }, passed),
        ),
      (row) => rows.push(row),
    );
    return rows.map((row) => [row.step, row.engine, row.status].filter(Boolean).join(' '));
  }
  const tried = (name: string, status: string, isGpu = false) =>
    ['contract', 'train', ...(isGpu ? ['step time, mlp', 'step time, cnn'] : [])].map(
      (what) => `${what} ${name} ${status}`,
    );

  it('leaves out what doctor has no hope for', async () => {
    const record = { engines: [engine('cuda', 'unavailable'), engine('webgpu', 'trains')] };
    expect(await rowsWith({ record })).toEqual([
      'doctor passed',
      ...tried('cuda', 'notRun', true),
      ...tried('webgpu', 'passed', true),
      ...['native', 'wasm', 'cpu'].flatMap((name) => tried(name, 'passed')),
    ]);
  });

  it('tries all where doctor failed', async () => {
    const rows = await rowsWith({ exitCode: 139, record: undefined });
    expect(rows).toHaveLength(1 + 4 + 4 + 3 * 2);
    expect(rows.filter((row) => !row.endsWith('passed'))).toEqual(['doctor failed']);
  });
});

describe('a step', () => {
  function runner(timeLimitSeconds = 60) {
    const work = temporaryFolder();
    const run = stepRunner({ pack: work, work, app: work }, timeLimitSeconds);
    return {
      work,
      node: (script: string, more: object = {}) => run({ ...step, args: ['-e', script], ...more }),
    };
  }

  it('gives its last line, and knows the runtime and a home of its own', async () => {
    const { work, node } = runner();
    const script = `console.log('noise');
      const { HOME, BATCHWISE_CACHE_DIR, ENGINE } = process.env;
      console.log(JSON.stringify({ value: 4, HOME, BATCHWISE_CACHE_DIR, ENGINE }));`;
    const figures = (record: object) => record as Record<string, unknown>;
    expect(await node(script, { figures, env: { ENGINE: 'cuda' } })).toMatchObject({
      status: 'passed',
      figures: {
        value: 4,
        HOME: join(work, 'home'),
        BATCHWISE_CACHE_DIR: join(work, 'cache'),
        ENGINE: 'cuda',
      },
    });
    expect(existsSync(join(work, 'home'))).toBe(true);
  });

  it('gives the file that it writes, and none of an earlier run', async () => {
    const { work, node } = runner();
    const json = join(work, 'out.json');
    const script = `require('node:fs').writeFileSync('out.json', '{ "value": 2 }'); console.log('{}')`;
    expect(await node(script, { json })).toMatchObject({ status: 'passed', figures: { twice: 4 } });
    expect(await node('process.exitCode = 3', { json })).toMatchObject({
      status: 'failed',
      reason: 'it ended with 3',
      exitCode: 3,
      figures: null,
    });
  });

  it('that hears no signal is ended for its time', async () => {
    const { node } = runner(1);
    const row = await node(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`);
    expect(row).toMatchObject({ status: 'failed', reason: 'ended after 1 s', exitCode: null });
  });
});

/** Stands for the app: finds a GPU for WebGPU only, and its trainings fail on wasm. */
const FAKE_BATCHWISE = `
import { writeFileSync } from 'node:fs';
const [command, ...args] = process.argv.slice(2);
const option = (name) => args[args.indexOf(name) + 1];
const engine = option('--backend');
if (engine === 'wasm') {
  console.error('batchwise: planted.');
  process.exit(1);
}
const doctor = { engines: [{ engine: 'cuda', verdict: 'unavailable', reason: 'no NVIDIA GPU', remedy: '' }] };
const run = {
  backend: { name: engine, version: '1', device: engine === 'webgpu' ? 'llvmpipe (software)' : 'processor' },
  plans: [{ batchSize: 32 }, { batchSize: 96 }],
  totals: { steps: 10, examples: 640, seconds: 4, trainingSeconds: 3, tuningSeconds: 1, evaluationSeconds: 0 },
  test: { loss: 0.1, accuracy: 0.9 },
  memory: null,
};
writeFileSync(option('--json'), JSON.stringify(command === 'doctor' ? doctor : run));
`;
const FAKE_VITEST = `
import { writeFileSync } from 'node:fs';
const file = process.argv.find((text) => text.startsWith('--outputFile')).split('=')[1];
const numPassedTests = process.env.ENGINE === 'cpu' ? 0 : 9;
writeFileSync(file, JSON.stringify({ numPassedTests, numFailedTests: 0 }));
`;
const FAKE_BENCH = `console.log(JSON.stringify({ ...JSON.parse(process.argv[2]), device: 'GPU', results: [] }));`;

/** A pack of an app and a runtime that are not the real ones. */
async function fakePack() {
  const [app, native, folder] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  writeTree(app, {
    'package.json': { type: 'module' },
    'node_modules/batchwise/bin/batchwise.mjs': FAKE_BATCHWISE,
    'node_modules/vitest/vitest.mjs': FAKE_VITEST,
    'bench/step-time-engine.mjs': FAKE_BENCH,
  });
  writeTree(native, { 'gpu.json': { folder: 'gpu-1' }, 'gpu-1/lib.so': 'x' });
  const parts: Part[] = [];
  for (const [name, from, names] of [
    ['app', app, ['package.json', 'node_modules', 'bench']],
    ['native-gpu', native, ['gpu.json', 'gpu-1']],
  ] as const)
    parts.push(...(await packArchive({ from, names }, { folder, name })).parts);
  await writeChecksums(folder, parts);
  writeTree(folder, { 'pack.json': { schema: 'batchwise.gpu-pack/1', commit: 'abc' } });
  const json = join(folder, 'result.json');
  return { folder, json, run: () => check(folder, { json, timeLimitSeconds: 60 }) };
}

describe('the whole check', () => {
  beforeEach(() => void vi.spyOn(console, 'log').mockReturnValue(undefined));
  afterEach(() => void vi.restoreAllMocks());

  it('writes a row for each step, whatever came of the others', async () => {
    const { folder, json, run } = await fakePack();
    const result = await run();
    expect(console.log).toHaveBeenCalledWith(expect.stringMatching(/^train, wasm +failed .*planted\.$/));
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(JSON.parse(JSON.stringify(result)));
    expect(result).toMatchObject({ schema: 'batchwise.gpu-check/1', pack: { commit: 'abc' } });
    expect(readFileSync(join(folder, 'work/cache/native/gpu-1/lib.so'), 'utf8')).toBe('x');
    const statusOf = (name: string, engineName: string | null) =>
      result.rows.find((row) => row.step === name && row.engine === engineName);
    expect(statusOf('unpack native-gpu', null)).toMatchObject({ status: 'passed', figures: { parts: 1 } });
    expect(statusOf('train', 'cuda')).toMatchObject({
      status: 'notRun',
      reason: 'not to be had: no NVIDIA GPU',
    });
    expect(statusOf('train', 'wasm')).toMatchObject({ status: 'failed', reason: 'batchwise: planted.' });
    expect(statusOf('train', 'native')).toMatchObject({
      status: 'passed',
      figures: { examplesPerSecond: 160, tuningShare: 0.25, batchSize: 96, plans: 2, testAccuracy: 0.9 },
    });
    expect(statusOf('train', 'webgpu')).toMatchObject({
      status: 'failed',
      reason: 'it ran on webgpu, llvmpipe (software)',
    });
    expect(statusOf('contract', 'webgpu')).toMatchObject({ figures: { passed: 9, failed: 0 } });
    expect(statusOf('contract', 'cpu')).toMatchObject({ status: 'failed', reason: 'no test ran' });
    expect(statusOf('step time, cnn', 'webgpu')).toMatchObject({
      status: 'passed',
      figures: { engine: 'webgpu', model: 'cnn', batchSizes: [32, 128, 1024], device: 'GPU' },
    });
  });

  it('goes on without a runtime whose parts are damaged, and not without the packages', async () => {
    const { folder, run } = await fakePack();
    writeFileSync(join(folder, 'native-gpu.part-000'), 'damaged');
    const { rows } = await run();
    expect(rows[1]).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('native-gpu.part-000 is'),
    });
    expect(rows).toHaveLength(2 + 15);
    rmSync(join(folder, 'app.part-000'));
    expect((await run()).rows).toMatchObject([
      { step: 'unpack app', status: 'failed', reason: 'app.part-000 cannot be read: copy it again.' },
      { step: 'unpack native-gpu', status: 'failed' },
      { step: 'doctor', status: 'notRun', reason: 'the packages were not unpacked' },
    ]);
  });
});

describe('run.sh', () => {
  /** Runs it with something else for Node, in parts of 20 bytes. */
  async function runSh(node: string) {
    const folder = temporaryFolder();
    async function* content() {
      yield new TextEncoder().encode(node);
    }
    await writeParts(content(), { folder, name: 'node', partBytes: 20 });
    cpSync(join(root, 'tools/gpu-check/run.sh'), join(folder, 'run.sh'));
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const options = { cwd: elsewhere, encoding: 'utf8' as const, env: { PATH: '/usr/bin:/bin' } };
    const { status, stdout, stderr } = spawnSync('sh', ['../run.sh', '--json', 'a b.json'], options);
    return { folder, status, stdout, stderr };
  }

  it('puts the packed Node together and hands all over to it', async () => {
    const { folder, status, stdout } = await runSh('#!/bin/sh\nfor word; do echo "<$word>"; done\n');
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `<${folder}/tools/gpu-check/run.mjs>\n<--json>\n<a b.json>\n`,
    });
  });

  it('says where a Node that does not start may be damaged', async () => {
    const { status, stderr } = await runSh('#!/bin/sh\nexit 127 # and more\n');
    expect(status).toBe(1);
    expect(stderr).toContain('"sha256sum -c SHA256SUMS" says whether it is damaged');
  });
});
