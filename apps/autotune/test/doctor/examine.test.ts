import type { EngineName } from '@batchwise/backend/node';
import { describe, expect, it } from 'vitest';
import type { Surroundings } from '../../src/doctor/advice.ts';
import { autoChoice, examine, referenceOf, reportOn, type Finding } from '../../src/doctor/examine.ts';
import { EXPECTED_LOSSES } from '../../src/doctor/probe-net.ts';
import type { EngineReport } from '../../src/doctor/report.ts';
import type { ProbeOutcome } from '../../src/doctor/run-probe.ts';
import {
  GIGABYTE,
  H200,
  LOSSES,
  facts,
  machine,
  probeWith,
  surroundings,
  trained,
  unavailable,
} from './fakes.ts';

const found = (engine: EngineName, outcome: ProbeOutcome): Finding => ({
  engine,
  way: 'plain',
  outcome,
  earlier: '',
});

/** What is reported of an engine that answers like this. */
async function report(
  engine: EngineName,
  answers: readonly ProbeOutcome[],
  around: Surroundings = surroundings(),
): Promise<EngineReport> {
  const finding = await examine(engine, probeWith(...answers).probe, around);
  return reportOn(finding, referenceOf([found('cpu', trained('cpu'))]), around);
}

describe('an engine that trains', () => {
  it('is reported with its numbers', async () => {
    const limits = { memoryBytes: 2 ** 32, tensorBytes: 2 ** 32 };
    const losses = [2.3180148, 2.2251872, 2.0971189];
    const wasm = await report('wasm', [trained('wasm', { losses, facts: facts('wasm', { limits }) })]);
    expect(wasm).toMatchObject({
      works: true,
      verdict: 'trains',
      reason: '',
      remedy: '',
      version: 'tfjs 4.22.0',
      device: 'the device of wasm',
      memoryBytes: 2 ** 32,
      losses,
      firstStepMs: 50,
      stepMs: 12,
    });
    expect(wasm.lossDifference).toBeCloseTo(1e-4, 9);
  });

  it.each([
    [0.0019, 'trains'],
    [-0.0019, 'trains'],
    [0.0021, 'trainsWrongly'],
    [-0.0021, 'trainsWrongly'],
  ])('may be off by a little: %d', async (off, verdict) => {
    for (const step of [0, 1, 2]) {
      const losses = LOSSES.map((loss, i) => (i === step ? loss + off : loss));
      expect((await report('wasm', [trained('wasm', { losses })])).verdict).toBe(verdict);
    }
  });

  it('and wrongly is told with the losses and another engine', async () => {
    expect(await report('wasm', [trained('wasm', { losses: [2.31801, null, 7] })])).toMatchObject({
      works: false,
      verdict: 'trainsWrongly',
      lossDifference: null,
      reason: 'trains wrongly: losses 2.318, no number, 7.000 where 2.318, 2.225, 2.097 are right',
      remedy: 'Do not train on it: npx batchwise train --backend cpu',
    });
    expect((await report('cuda', [trained('cuda', { losses: [] })])).verdict).toBe('trainsWrongly');
  });
});

describe('the reference', () => {
  it('is the cpu engine', () => {
    expect(referenceOf([found('wasm', trained('wasm')), found('cpu', trained('cpu'))])).toEqual({
      engine: 'cpu',
      losses: LOSSES,
      tolerance: 0.002,
    });
  });

  it.each<[string, readonly Finding[]]>([
    ['did not run', []],
    ['crashed', [found('cpu', { kind: 'crashed', reason: '', signal: null })]],
    ['trains wrongly', [found('cpu', trained('cpu', { losses: [2.4, 2.3, 2.2] }))]],
  ])('is what is stated where cpu %s', (_why, findings) => {
    expect(referenceOf(findings)).toMatchObject({ engine: null, losses: EXPECTED_LOSSES });
  });

  it('does not let the cpu engine be its own judge', () => {
    const wrong = found('cpu', trained('cpu', { losses: [2.4, 2.3, 2.2] }));
    const reference = { engine: 'cpu' as const, losses: [2.4, 2.3, 2.2], tolerance: 0.002 };
    expect(reportOn(wrong, reference, surroundings()).verdict).toBe('trainsWrongly');
  });
});

describe('webgpu', () => {
  const noGpu = unavailable('There is no GPU in /dev/dri', 'Take "wasm".');
  const icd = { VK_ICD_FILENAMES: '/x.json' };

  it('is a real GPU where there is one', async () => {
    const { probe, sent } = probeWith(trained('webgpu'));
    expect(await examine('webgpu', probe, surroundings())).toMatchObject({ way: 'plain' });
    expect(sent.map(({ request }) => request)).toEqual([
      { task: 'engine', engine: 'webgpu', webgpu: { software: false }, train: true },
    ]);
  });

  it('is software where that is installed, and said to be slow', async () => {
    const around = surroundings({ softwareVulkan: icd });
    const { probe, sent } = probeWith(noGpu, trained('webgpu'));
    const finding = await examine('webgpu', probe, around);
    expect(sent.map(({ env }) => env)).toEqual([undefined, icd]);
    expect(reportOn(finding, referenceOf([]), around)).toMatchObject({
      works: true,
      verdict: 'software',
      memoryBytes: 64 * GIGABYTE,
      reason: expect.stringMatching(/^There is no GPU in .*: slow, for tests only$/),
    });
  });

  it('that only checks is no GPU', async () => {
    const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 27 };
    const device = { kind: 'loaded' as const, facts: facts('webgpu', { device: 'null', webgpu: limits }) };
    const { probe, sent } = probeWith(noGpu, unavailable('no adapter'), device);
    const finding = await examine('webgpu', probe, surroundings());
    expect(sent.at(-1)?.request).toEqual({
      task: 'engine',
      engine: 'webgpu',
      webgpu: { dawn: ['backend=null'] },
      train: false,
    });
    expect(reportOn(finding, referenceOf([]), surroundings())).toMatchObject({
      works: false,
      verdict: 'noGpu',
      reason: 'no GPU: There is no GPU in /dev/dri. Dawn loads; on its null device nothing is computed',
      limits: { webgpu: limits },
      stepMs: null,
    });
  });

  it('that is not installed is told with how to install it', async () => {
    const missing = unavailable('the package webgpu is not installed', 'Run npm install webgpu');
    expect(await report('webgpu', [noGpu, missing, missing])).toMatchObject({
      verdict: 'unavailable',
      reason: 'the package webgpu is not installed',
      remedy: 'Run npm install webgpu',
    });
  });

  it('that crashes on a real GPU is not glossed over with software', async () => {
    const crashed = { kind: 'crashed' as const, reason: 'its process ended', signal: 'SIGSEGV' as const };
    const { probe, sent } = probeWith(crashed, trained('webgpu'));
    const finding = await examine('webgpu', probe, surroundings());
    expect([finding.outcome, sent.length]).toEqual([crashed, 1]);
  });
});

describe('what mends an engine', () => {
  const gpu = { machine: machine([H200]) };
  it.each<[string, EngineName, ProbeOutcome, Partial<Surroundings>, Partial<EngineReport>]>([
    [
      'native that is not set up',
      'native',
      unavailable('not installed'),
      {},
      { reason: 'not installed', remedy: 'npx batchwise setup-native' },
    ],
    [
      'native whose setup failed',
      'native',
      unavailable('not installed'),
      { setupFailure: { cpu: 'needs make', gpu: 'no' } },
      { reason: 'not installed; the last setup failed: needs make', remedy: 'npx batchwise setup-native' },
    ],
    [
      'cuda without a GPU',
      'cuda',
      unavailable('Only tfjs-node is there', 'Run ...'),
      {},
      { reason: 'no NVIDIA GPU (nvidia-smi is not there)', remedy: '' },
    ],
    [
      'cuda that is not set up',
      'cuda',
      unavailable('Only tfjs-node without GPU support is there'),
      { ...gpu, setupFailure: { cpu: 'x', gpu: 'no room' } },
      {
        reason: 'Only tfjs-node without GPU support is there; the last setup failed: no room',
        remedy: 'npx batchwise setup-native --gpu',
      },
    ],
    [
      'cuda whose TensorFlow sees no GPU',
      'cuda',
      unavailable('its TensorFlow sees no GPU and computes on the processor', 'See with nvidia-smi'),
      gpu,
      { remedy: 'See with nvidia-smi' },
    ],
    [
      'native that crashes',
      'native',
      { kind: 'crashed', reason: 'its process ended', signal: 'SIGSEGV' },
      {},
      {
        verdict: 'crashed',
        reason: 'its process ended',
        remedy: 'Delete the folder "native" in the cache, then: npx batchwise setup-native',
      },
    ],
    [
      'native that the processor cannot run',
      'native',
      { kind: 'crashed', reason: 'its process ended', signal: 'SIGILL' },
      {},
      { verdict: 'crashed', remedy: 'Meanwhile: npx batchwise train --backend wasm' },
    ],
    [
      'an engine that hangs',
      'wasm',
      { kind: 'timedOut', reason: 'still training after 60 s' },
      {},
      {
        verdict: 'timedOut',
        reason: 'still training after 60 s',
        remedy: 'To wait longer: npx batchwise doctor --time-limit 300',
      },
    ],
  ])('%s', async (_what, engine, outcome, over, expected) => {
    expect(await report(engine, [outcome], surroundings(over))).toMatchObject({ works: false, ...expected });
  });
});

describe('memory', () => {
  it.each<[string, EngineName, Surroundings, number | null]>([
    ['of the GPU', 'cuda', surroundings({ machine: machine([H200]) }), 150 * GIGABYTE],
    ['of a GPU that nobody measures', 'webgpu', surroundings(), null],
    ['of the machine', 'cpu', surroundings(), 64 * GIGABYTE],
    ['of the container', 'native', surroundings({ machine: machine([], 2 * GIGABYTE) }), 2 * GIGABYTE],
  ])('is that %s', async (_what, engine, around, bytes) => {
    expect((await report(engine, [trained(engine)], around)).memoryBytes).toBe(bytes);
  });

  it('is within what the engine can address', async () => {
    const limits = { memoryBytes: 2 ** 32, tensorBytes: 2 ** 32 };
    const wasm = trained('wasm', { facts: facts('wasm', { limits }) });
    expect((await report('wasm', [wasm])).memoryBytes).toBe(2 ** 32);
    const small = surroundings({ machine: machine([], GIGABYTE) });
    expect((await report('wasm', [wasm], small)).memoryBytes).toBe(GIGABYTE);
  });
});

describe('auto', () => {
  it('is what loads, and why', async () => {
    const { probe, sent } = probeWith({
      kind: 'loaded',
      facts: facts('wasm', { reason: 'the fastest here' }),
    });
    expect(await autoChoice(probe)).toEqual({ engine: 'wasm', reason: 'the fastest here' });
    expect(sent[0]?.request).toEqual({ task: 'engine', engine: 'auto', train: false });
  });

  it('may be nothing', async () => {
    expect(await autoChoice(probeWith(unavailable('none loads')).probe)).toEqual({
      engine: null,
      reason: 'none loads',
    });
  });
});
