import { describe, expect, it } from 'vitest';
import { gpuInventory } from '../../src/node/gpu-inventory.ts';
import { nvidiaMemory, type NvidiaReading, type RunProgram } from '../../src/node/nvidia.ts';

const MIB = 1024 ** 2;
const GPUS = [
  '0, GPU-6b1f2f3e-0d5a-8c3e-2b1d-5f0e8c1a9d11, NVIDIA H200, 143771, 1204, 142566',
  '1, GPU-0f9a7d52-41c6-9b6e-8a37-c2d4a1b3e922, Tesla V100-SXM2-16GB, 16384, [N/A], [Insufficient Permissions]',
].join('\n');
const APPS = [
  '4321, GPU-6b1f2f3e-0d5a-8c3e-2b1d-5f0e8c1a9d11, 1190',
  '77, GPU-6b1f2f3e-0d5a-8c3e-2b1d-5f0e8c1a9d11, [N/A]',
].join('\n');

const answering =
  (gpus: string, apps: string): RunProgram =>
  (program, args) => {
    expect(program).toBe('nvidia-smi');
    expect(args).toContain('--format=csv,noheader,nounits');
    return Promise.resolve(args.some((arg) => arg.startsWith('--query-gpu')) ? gpus : apps);
  };

const failing =
  (fields: object): RunProgram =>
  () =>
    Promise.reject(Object.assign(new Error('Command failed'), fields));

describe('nvidiaMemory', () => {
  it('reads what nvidia-smi prints, and what it will not tell as unknown', async () =>
    expect(await nvidiaMemory(answering(`${GPUS}\n`, `${APPS}\n`))).toEqual({
      kind: 'gpus',
      gpus: [
        {
          index: 0,
          uuid: 'GPU-6b1f2f3e-0d5a-8c3e-2b1d-5f0e8c1a9d11',
          name: 'NVIDIA H200',
          totalBytes: 143_771 * MIB,
          usedBytes: 1204 * MIB,
          freeBytes: 142_566 * MIB,
          processes: [
            { pid: 4321, usedBytes: 1190 * MIB },
            { pid: 77, usedBytes: null },
          ],
        },
        {
          index: 1,
          uuid: 'GPU-0f9a7d52-41c6-9b6e-8a37-c2d4a1b3e922',
          name: 'Tesla V100-SXM2-16GB',
          totalBytes: 16_384 * MIB,
          usedBytes: null,
          freeBytes: null,
          processes: [],
        },
      ],
    }));

  it('has no processes where they may not be seen', async () => {
    const run: RunProgram = (program, args) =>
      args[0]?.startsWith('--query-compute') ? failing({})(program, args) : Promise.resolve(GPUS);
    expect(await nvidiaMemory(run)).toMatchObject({
      kind: 'gpus',
      gpus: [{ processes: [] }, { processes: [] }],
    });
  });

  it('says why there are none', async () => {
    expect(await nvidiaMemory(answering('No devices were found\n', ''))).toEqual({ kind: 'gpus', gpus: [] });
    expect(await nvidiaMemory(failing({ code: 'ENOENT' }))).toEqual({
      kind: 'none',
      reason: 'nvidia-smi is not installed; it comes with the NVIDIA driver.',
    });
    expect(await nvidiaMemory(failing({ killed: true }))).toMatchObject({
      reason: 'nvidia-smi gave no answer within 10 s.',
    });
    expect(await nvidiaMemory(failing({ code: 9 }))).toMatchObject({
      reason: 'nvidia-smi failed: Command failed',
    });
  });

  it('answers on any machine', async () => expect(['gpus', 'none']).toContain((await nvidiaMemory()).kind));
});

describe('gpuInventory', () => {
  const none = () => Promise.resolve<NvidiaReading>({ kind: 'none', reason: '' });
  const nvidia = () => nvidiaMemory(answering(GPUS, ''));
  const graphics =
    (...controllers: object[]) =>
    () =>
      Promise.resolve({ controllers });

  it('lists NVIDIA by its driver where there is no lspci', async () =>
    expect(await gpuInventory({ graphics: graphics(), nvidia })).toEqual([
      { vendor: 'NVIDIA', model: 'NVIDIA H200', memoryBytes: 143_771 * MIB, source: 'nvidia-smi' },
      { vendor: 'NVIDIA', model: 'Tesla V100-SXM2-16GB', memoryBytes: 16_384 * MIB, source: 'nvidia-smi' },
    ]));

  it('adds the others once, and knows no memory where 0 is said', async () => {
    const listed = graphics(
      { vendor: 'NVIDIA Corporation', model: 'GH100', vram: 0 },
      { vendor: 'Intel Corporation', model: 'UHD Graphics 630', vram: 0 },
      { vendor: '', model: '', vram: 512 },
    );
    expect((await gpuInventory({ graphics: listed, nvidia })).slice(2)).toEqual([
      {
        vendor: 'Intel Corporation',
        model: 'UHD Graphics 630',
        memoryBytes: null,
        source: 'systeminformation',
      },
      { vendor: null, model: 'unnamed', memoryBytes: 512 * MIB, source: 'systeminformation' },
    ]);
  });

  it('takes NVIDIA from the list where its driver does not answer', async () =>
    expect(
      await gpuInventory({ graphics: graphics({ vendor: 'NVIDIA', model: 'GH100' }), nvidia: none }),
    ).toEqual([{ vendor: 'NVIDIA', model: 'GH100', memoryBytes: null, source: 'systeminformation' }]));

  it('is empty where the package is not installed', async () => {
    const missing = () => Promise.reject(new Error("Cannot find package 'systeminformation'"));
    expect(await gpuInventory({ graphics: missing, nvidia: none })).toEqual([]);
  });

  it('answers on any machine', async () => expect(await gpuInventory()).toBeInstanceOf(Array));
});
