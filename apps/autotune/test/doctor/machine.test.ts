import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examineMachine, memoryLimit, usableMemory } from '../../src/doctor/machine.ts';
import { nvidiaGpus, parseNvidiaSmi } from '../../src/doctor/nvidia.ts';
import { machine, probeWith } from './fakes.ts';

const signal = new AbortController().signal;

/** A stand-in for nvidia-smi. */
async function fakeSmi(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'batchwise-smi-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const program = join(folder, 'nvidia-smi');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  return program;
}

describe('nvidia-smi', () => {
  it('says name, driver and memory of each GPU', () => {
    expect(
      parseNvidiaSmi('NVIDIA H200, 570.86.15, 143771, 143100\nNVIDIA A2, PCIe, 570.86.15, [N/A], [N/A]\n'),
    ).toEqual({
      gpus: [
        {
          name: 'NVIDIA H200',
          driver: '570.86.15',
          totalBytes: 143_771 * 1_048_576,
          freeBytes: 143_100 * 1_048_576,
        },
        { name: 'NVIDIA A2, PCIe', driver: '570.86.15', totalBytes: null, freeBytes: null },
      ],
      problem: null,
    });
    expect(parseNvidiaSmi('\n')).toEqual({ gpus: [], problem: 'nvidia-smi lists no GPU' });
  });

  it.skipIf(process.platform === 'win32')('is asked for that, and its trouble is told', async () => {
    const works = await fakeSmi(
      `[ "$*" = "--query-gpu=name,driver_version,memory.total,memory.free --format=csv,noheader,nounits" ] && echo "X, 1.2, 16, 8"`,
    );
    expect(await nvidiaGpus(signal, works)).toEqual({
      gpus: [{ name: 'X', driver: '1.2', totalBytes: 16_777_216, freeBytes: 8_388_608 }],
      problem: null,
    });
    const broken = await fakeSmi(
      'echo "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver."; exit 9',
    );
    expect(await nvidiaGpus(signal, broken)).toEqual({
      gpus: [],
      problem: 'nvidia-smi: NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.',
    });
    expect(await nvidiaGpus(signal, '/no/such/nvidia-smi')).toEqual({
      gpus: [],
      problem: 'nvidia-smi is not there',
    });
  });

  it.skipIf(process.platform === 'win32')('that hangs is ended with the doctor', async () => {
    const interrupt = new AbortController();
    const asked = nvidiaGpus(interrupt.signal, await fakeSmi('exec sleep 600'));
    interrupt.abort(new Error('Ctrl-C'));
    await expect(asked).rejects.toThrow('Ctrl-C');
  });
});

describe('memory', () => {
  it.each([
    [undefined, null],
    [0, null],
    // What Linux says where there is no limit.
    [18_446_744_073_709_552_000, null],
    [1000, 1000],
  ])('is limited to %d: %d', (constrained, limit) => {
    expect(memoryLimit(constrained, 2000)).toBe(limit);
  });

  it('that is usable ends at the limit', () => {
    expect([usableMemory(machine()), usableMemory(machine([], 5))]).toEqual([64e9, 5]);
  });
});

it('does without the list of graphics cards where making it fails', async () => {
  const { probe, sent } = probeWith({ kind: 'timedOut', reason: 'still starting after 60 s' });
  const { graphics, node, processor } = await examineMachine(probe, signal);
  expect([graphics, node, processor.cores > 0]).toEqual([[], process.versions.node, true]);
  expect(sent).toEqual([{ request: { task: 'graphics' }, env: undefined }]);
});
