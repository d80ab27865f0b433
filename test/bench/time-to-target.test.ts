import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../cli/batchwise.ts';

const BENCH = fileURLToPath(new URL('../../bench/time-to-target.mjs', import.meta.url));
const SUMMARY = new URL('../../bench/time-to-target/summary.mjs', import.meta.url).href;

function bench(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [BENCH, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) =>
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr })),
  );
}

interface Versus {
  readonly winner: string;
  readonly seeds: number;
  readonly lost: number;
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

interface Cell {
  readonly name: string;
  readonly winners: Readonly<Record<string, string | null>>;
  readonly arms: readonly {
    readonly name: string;
    readonly reached: number;
    readonly medianSeconds: number | null;
  }[];
  readonly policies: readonly { readonly name: string; readonly versusScaled: Versus | null }[];
}

describe('bench/time-to-target', () => {
  let out: string;
  const quick = (...args: string[]) =>
    bench(
      '--quick',
      '--tasks',
      'regression',
      '--engines',
      'wasm',
      '--optimizers',
      'sgd',
      '--out',
      out,
      ...args,
    );
  beforeAll(async () => {
    out = await temporaryFolder();
  });

  it('runs each contender once, writes its report, and goes on where it was', async () => {
    const arms = ['--sizes', '32,64', '--scalings', 'scaled', '--policies', 'knee'];
    const first = await quick('--seeds', '1', ...arms);
    expect([first.code, first.stdout]).toEqual([
      0,
      expect.stringContaining('3 runs, 0 of them there already.'),
    ]);
    const files = await readdir(join(out, 'runs'));
    expect(files.sort()).toEqual(
      ['32_scaled', '64_scaled', 'knee'].map((arm) => `regression_wasm_sgd_1_${arm}_quick.json`),
    );
    const second = await quick('--seeds', '2', ...arms);
    expect(second.stdout).toContain('6 runs, 3 of them there already.');
    const third = await quick('--seeds', '2,', ...arms);
    expect(third.stdout).toContain('3 runs, 3 of them there already.');
    expect(third.stdout).not.toContain('other code');
    const knee = join(out, 'runs', 'regression_wasm_sgd_1_knee_quick.json');
    const earlier = JSON.parse(await readFile(knee, 'utf8')) as object;
    await writeFile(knee, JSON.stringify({ ...earlier, code: '0123456789ab' }));
    const fourth = await quick('--seeds', '2', ...arms);
    expect(fourth.stdout).toContain('1 of 6 runs');
    expect(fourth.stdout).toContain('ran other code than is built now');

    const report = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as {
      cells: Cell[];
      runs: object[];
    };
    expect(report.runs).toHaveLength(6);
    expect(report.cells.map(({ name }) => name)).toEqual(['regression / wasm / sgd']);
    const [run] = report.runs as {
      points: { seconds: number; value: number }[];
      totals: { evaluationSeconds: number; seconds: number };
    }[];
    const last = run?.points.at(-1);
    // The training clock leaves evaluation out.
    expect(last?.seconds).toBeLessThanOrEqual(
      (run?.totals.seconds ?? 0) - (run?.totals.evaluationSeconds ?? 0) + 0.05,
    );
    expect(last?.value).toBeLessThan(run?.points[0]?.value ?? 0);
    const csv = await readFile(join(out, 'results.csv'), 'utf8');
    expect(csv.trim().split('\n')).toHaveLength(7);
    expect(csv).toMatch(/^task,engine,optimizer,seed,arm,/);
    const page = await readFile(join(out, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)=/);
    expect(page).toContain('Plot.plot(');
  });

  it.each([
    ['--tasks', 'imagenet', '--tasks: there is no imagenet; known are mnist-mlp'],
    ['--seeds', '0', '--seeds: 0 is not a whole number above 0.'],
    ['--policies', 'magic', '--policies: there is no magic'],
  ])('refuses %s %s', async (option, value, message) => {
    const { code, stderr } = await bench(option, value);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('the summary of a sweep', () => {
  const run = (arm: object, seed: number, secondsToTarget: number | null) => ({
    task: 'toy',
    engine: 'wasm',
    optimizer: 'sgd',
    target: { metric: 'acc', value: 0.9, direction: 'atLeast' },
    device: 'a machine',
    seed,
    arm,
    reached: secondsToTarget !== null,
    secondsToTarget,
    lastBatchSize: 64,
    meanBatchSize: 64,
    steps: 100,
    totals: { trainingSeconds: 99, tuningSeconds: 1 },
    failure: null,
  });
  const fixed = (batchSize: number) => ({
    name: `${batchSize} scaled`,
    kind: 'fixed',
    batchSize,
    scaling: 'scaled',
  });
  const knee = { name: 'knee', kind: 'policy' };

  it('picks the winner on the first half of the seeds and takes ratios on the others', async () => {
    const { summarise } = (await import(/* @vite-ignore */ SUMMARY)) as {
      summarise: (runs: object[]) => Cell[];
    };
    const runs = [
      // 64 wins on seeds 1 and 2, 32 on 3 and 4.
      ...[4, 4, 1, 1].map((seconds, i) => run(fixed(32), i + 1, seconds)),
      ...[2, 2, 4, 4].map((seconds, i) => run(fixed(64), i + 1, seconds)),
      ...[9, 9, 2, 8].map((seconds, i) => run(knee, i + 1, seconds)),
    ];
    const [cell] = summarise(runs);
    expect(cell?.winners).toEqual({ scaled: '64 scaled', unscaled: null });
    // 2/4 and 8/4: the geometric mean is 1.
    expect(cell?.policies[0]?.versusScaled).toMatchObject({ winner: '64 scaled', seeds: 2, lost: 0 });
    expect(cell?.policies[0]?.versusScaled?.ratio).toBeCloseTo(1, 12);
    expect(cell?.policies[0]?.versusScaled?.low).toBeCloseTo(0.5, 12);
    expect(cell?.policies[0]?.versusScaled?.high).toBeCloseTo(2, 12);
  });

  it('takes a target that was not reached for longer than anything', async () => {
    const { summarise } = (await import(/* @vite-ignore */ SUMMARY)) as {
      summarise: (runs: object[]) => Cell[];
    };
    const runs = [run(fixed(32), 1, null), run(fixed(64), 1, 50), run(knee, 1, null)];
    const [cell] = summarise(runs);
    expect(cell?.winners['scaled']).toBe('64 scaled');
    expect(cell?.arms.map(({ medianSeconds }) => medianSeconds)).toEqual([null, 50, null]);
    expect(cell?.policies[0]?.versusScaled).toMatchObject({ lost: 1, ratio: null });
  });

  it('takes ratios where both got there, and says on how many seeds only the winner did', async () => {
    const { summarise, textOf } = (await import(/* @vite-ignore */ SUMMARY)) as {
      summarise: (runs: object[]) => Cell[];
      textOf: (cells: Cell[]) => string;
    };
    const runs = [
      ...[2, 2, 2, 2, 2, 2].map((seconds, i) => run(fixed(64), i + 1, seconds)),
      ...[4, 4, 4, 3, null, null].map((seconds, i) => run(knee, i + 1, seconds)),
    ];
    const cells = summarise(runs);
    expect(cells[0]?.policies[0]?.versusScaled).toMatchObject({ seeds: 1, lost: 2, ratio: 1.5 });
    expect(textOf(cells)).toContain(
      'knee / 64 scaled: 1.50 (1.50 to 1.50, 1 seeds), and 2 on which it never got there',
    );
  });
});
