import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunTrace, TuningRecord } from '@batchwise/tuner';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchwise, smallMnist, temporaryFolder, type Outcome } from './batchwise.ts';
import { expectRunRecord, type RunRecord } from './run-record.ts';

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

let data: string;
beforeAll(async () => {
  data = await smallMnist(1500, 200);
});
const trainOn = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  batchwise(['train', '--data-dir', data, '--backend', 'wasm', '--no-probe', ...args], { env });

describe('batchwise train after seven runs that found little noise', () => {
  let out: string;
  let stored: string;
  beforeAll(async () => {
    out = await temporaryFolder();
    await trainOn(['--optimizer', 'sgd', '--epochs', '1'], { BATCHWISE_CACHE_DIR: out });
    const [file = ''] = await readdir(join(out, 'tuning'));
    stored = join(out, 'tuning', file);
  });

  /** A run of sixteen epochs that ends after a second; its batch may be 43. */
  async function after(record: Partial<TuningRecord>, ...args: string[]) {
    const planted: TuningRecord = {
      schema: 'batchwise.tuning/1',
      runs: 7,
      stepTimes: [{ batchSize: 32, parts: 1, seconds: 0.01, firstSeconds: null }],
      noiseScale: 8,
      batchSize: 32,
      largestMicroBatchSize: 64,
      failedMicroBatchSize: null,
      ...record,
    };
    await writeFile(stored, JSON.stringify(planted));
    const [json, trace] = [join(out, 'run.json'), join(out, 'trace.json')];
    const files = ['--json', json, '--trace', trace];
    const task = ['--optimizer', 'sgd', '--epochs', '16', '--max-seconds', '1', ...files, ...args];
    const { code, stdout } = await trainOn(task, { BATCHWISE_CACHE_DIR: out });
    expect(code).toBe(0);
    const run: RunRecord = expectRunRecord(await readJson(json));
    return { stdout, run, trace: (await readJson(trace)) as RunTrace };
  }

  it.each([
    ['noiseScale', {}, ', from the record of 7 earlier runs'],
    ['noiseScale', { noiseScale: null }, ''],
    // Step times of one size tell nothing of others.
    ['knee', {}, ''],
    ['schedule', {}, ''],
    ['fixed', {}, ''],
  ])('says of %s after %j that it starts%s', async (name, record, origin) => {
    const { stdout } = await after(record, '--policy', name);
    expect(/^Policy +(.*)$/m.exec(stdout)?.[1]).toBe(`${name}${origin}`);
  });

  const smaller = ['--policy', 'noiseScale'];
  it.each([
    [[], 8, 0.25, {}],
    [['--min-batch-size', '16'], 16, 0.5, { minBatchSize: 16 }],
    [['--learning-rate-rule', 'sqrt'], 8, 0.5, { learningRateRule: 'sqrt' }],
    [['--learning-rate-rule', 'none'], 8, 1, { learningRateRule: 'none' }],
    [['--learning-rate-rule', 'adascale'], 8, (1 + 8 / 32) / (1 + 8 / 8), { learningRateRule: 'adascale' }],
  ])('with %j starts at %i, at %d of the rate', async (args, batchSize, learningRateScale, options) => {
    const { run } = await after({}, ...smaller, ...args);
    expect(run.plans[0]).toMatchObject({
      batchSize,
      learningRateScale: expect.closeTo(learningRateScale, 9),
    });
    expect(run.policy).toEqual({ name: 'noiseScale', options: { batchSize: 32, ...options } });
  });

  it('lets the rate follow a larger batch over --warm-up-examples', async () => {
    const larger = ['--policy', 'noiseScale', '--batch-size', '8'];
    const { run, trace } = await after({ noiseScale: 1e4 }, ...larger, '--warm-up-examples', '10000');
    expect(run.policy.options).toEqual({ batchSize: 8, warmUpExamples: 10_000 });
    expect(run.plans[0]?.batchSize).toBe(32);
    // Four times the batch, after five steps.
    const scale = trace.outcomes[5]?.plan.learningRateScale;
    expect(scale).toBeCloseTo(1 + 3 * ((5 * 32) / 10_000), 9);
  });
});

describe('a --max-batch-size that cannot hold', () => {
  const lineOf = async (...args: string[]): Promise<string | undefined> => {
    const { stdout } = await trainOn(['--no-record', '--max-seconds', '1e-9', ...args]);
    return /^Batch +(at most.*)$/m.exec(stdout)?.[1];
  };
  it.each([
    [
      ['--epochs', '40', '--max-batch-size', '1000'],
      'at most 84, a 16th of the 1,350 training examples, as larger batches were seen to generalise worse, ' +
        'although --max-batch-size is 1,000',
    ],
    [
      ['--epochs', '16', '--max-batch-size', '44', '--policy', 'knee'],
      "at most 43, a 500th of the run's 21,600 examples, as a run needs many steps too, although --max-batch-size is 44",
    ],
    [
      ['--max-batch-size', '64'],
      "at most 32, which is --batch-size, as a 16th of the 1,350 training examples or a 500th of the run's 6,750 is no " +
        'more, although --max-batch-size is 64',
    ],
    [
      ['--batch-size', '2000', '--max-batch-size', '2000', '--policy', 'schedule'],
      'at most 1,350, all of the 1,350 training examples, although --max-batch-size is 2,000',
    ],
    [['--epochs', '16', '--max-batch-size', '43'], undefined],
    [['--epochs', '16'], undefined],
    [['--max-batch-size', '64', '--policy', 'fixed'], undefined],
  ])('with %j is told at the start', async (args, line) => {
    expect(await lineOf(...args)).toBe(line);
  });

  it('is no surprise to who reads the help', async () => {
    const { stdout } = await batchwise(['train', '--help']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'the tuner stays at or below; whatever is given, a 16th of the data and a 500th of the run bound it too, unless ' +
        '--batch-size is larger (default of goodput: where the rate stops following)',
    );
    for (const option of ['min-batch-size', 'max-batch-size', 'learning-rate-rule', 'warm-up-examples'])
      expect(stdout).toMatch(new RegExp(`^ +--${option}\\b.* {2,}\\S`, 'm'));
  });
});

describe('options that do not go together', () => {
  it.each([
    [
      ['--policy', 'schedule', '--schedule', 'constant'],
      '--policy schedule grows the batch where --schedule would lower the rate, and --schedule constant never does; ' +
        'give --schedule cosine, or --policy fixed for a batch that stays.',
    ],
    [['--min-batch-size', '33'], '--min-batch-size 33 is above --batch-size 32; the run starts there.'],
    [['--max-batch-size', '31'], '--max-batch-size 31 is below --batch-size 32; the run starts there.'],
    [
      ['--min-batch-size', '8', '--policy', 'schedule'],
      '--min-batch-size is for --policy goodput, knee, noiseScale; this run has schedule.',
    ],
    [
      ['--learning-rate-rule', 'none', '--policy', 'fixed'],
      '--learning-rate-rule is for --policy goodput, knee, noiseScale; this run has fixed.',
    ],
    [
      ['--warm-up-examples', '9', '--policy', 'fixed'],
      '--warm-up-examples is for --policy goodput, knee, noiseScale; this run has fixed.',
    ],
    [
      ['--learning-rate-rule', 'adamscale', '--policy', 'knee'],
      '--learning-rate-rule adamscale goes by the gradient noise, which --policy knee does not measure; ' +
        'give linear, sqrt or none, or --policy goodput.',
    ],
    [
      ['--learning-rate-rule', 'none', '--warm-up-examples', '9'],
      "--warm-up-examples 9 slows the rate's rise with the batch, and with --learning-rate-rule none there is none; " +
        'give another rule, or leave it out.',
    ],
    [
      ['--learning-rate-rule', 'cubic'],
      "option '--learning-rate-rule <name>' argument 'cubic' is invalid. Allowed choices are linear, sqrt, adascale, " +
        'adamscale, none.',
    ],
    [
      ['--warm-up-examples', '-1'],
      "option '--warm-up-examples <n>' argument '-1' is invalid. Give a whole number, 0 or above.",
    ],
    [
      ['--min-batch-size', '0'],
      "option '--min-batch-size <examples>' argument '0' is invalid. Give a whole number above 0.",
    ],
  ])('%j are refused', async (args, message) => {
    const { code, stdout, stderr } = await trainOn(args);
    expect([code, stdout, stderr.split('\n')[0]]).toEqual([2, '', `error: ${message}`]);
  });
});
