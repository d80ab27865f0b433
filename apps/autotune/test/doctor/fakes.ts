import type { EngineName } from '@batchwise/backend/node';
import type { Surroundings } from '../../src/doctor/advice.ts';
import type { Machine } from '../../src/doctor/machine.ts';
import type { NvidiaGpu } from '../../src/doctor/nvidia.ts';
import type { LoadedFacts, ProbeRequest } from '../../src/doctor/probe-messages.ts';
import type { ProbeOutcome, RunProbe } from '../../src/doctor/run-probe.ts';

export const GIGABYTE = 1e9;

export const H200: NvidiaGpu = {
  name: 'NVIDIA H200',
  driver: '570.86.15',
  totalBytes: 150 * GIGABYTE,
  freeBytes: 149 * GIGABYTE,
};

/** A machine with 64 GB and the GPUs. */
export function machine(gpus: readonly NvidiaGpu[] = [], limitBytes: number | null = null): Machine {
  return {
    platform: 'linux',
    arch: 'x64',
    node: '22.0.0',
    processor: { model: 'A Processor With a Rather Long Name @ 2.80GHz', cores: 16 },
    memory: { totalBytes: 64 * GIGABYTE, availableBytes: 60 * GIGABYTE, limitBytes },
    graphics: [],
    nvidia: { gpus, problem: gpus.length > 0 ? null : 'nvidia-smi is not there' },
  };
}

export const surroundings = (over: Partial<Surroundings> = {}): Surroundings => ({
  machine: machine(),
  softwareVulkan: undefined,
  setupFailure: { cpu: undefined, gpu: undefined },
  ...over,
});

export const facts = (engine: EngineName, over: Partial<LoadedFacts> = {}): LoadedFacts => ({
  engine,
  version: 'tfjs 4.22.0',
  device: `the device of ${engine}`,
  limits: { memoryBytes: null, tensorBytes: null },
  webgpu: null,
  reason: 'as asked',
  ...over,
});

export const LOSSES = [2.3180148, 2.2251472, 2.0972189];

export const trained = (
  engine: EngineName,
  over: Partial<Extract<ProbeOutcome, { kind: 'trained' }>> = {},
) => ({
  kind: 'trained' as const,
  facts: facts(engine),
  losses: LOSSES,
  firstStepMs: 50,
  stepMs: [12, 10, 30],
  ...over,
});

export const unavailable = (reason: string, hint = ''): ProbeOutcome => ({
  kind: 'unavailable',
  reason,
  hint,
});

export interface SentOut {
  readonly request: ProbeRequest;
  readonly env: Readonly<Record<string, string>> | undefined;
}

/** Answers in turn; the last one for all that follow. */
export function probeWith(...answers: readonly ProbeOutcome[]): { probe: RunProbe; sent: SentOut[] } {
  const sent: SentOut[] = [];
  const probe: RunProbe = (request, env) => {
    const answer = answers[Math.min(sent.length, answers.length - 1)];
    sent.push({ request, env });
    return answer ? Promise.resolve(answer) : Promise.reject(new Error('no answer'));
  };
  return { probe, sent };
}
