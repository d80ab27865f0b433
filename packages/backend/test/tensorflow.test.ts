import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

// TensorFlow is loaded once per process: each test gets modules that have not loaded it yet.
let loadEngine: typeof import('../src/node/index.ts').loadEngine;
beforeEach(async () => {
  vi.resetModules();
  ({ loadEngine } = await import('../src/node/index.ts'));
  for (const name of ['TF_CPP_MIN_LOG_LEVEL', 'CUDA_VISIBLE_DEVICES']) vi.stubEnv(name, undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
});

/** A module in the shape of TensorFlow.js for Node. It keeps what the environment said when it was imported. */
async function moduleFile(
  name: string,
  { gpu = false, gpuPackage = false, broken = false } = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'batchwise engine '));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, name);
  await writeFile(
    file,
    broken
      ? 'throw new Error("no such symbol");'
      : `export default {
        version: { tfjs: '4.22.0' },
        logLevel: process.env.TF_CPP_MIN_LOG_LEVEL,
        gpus: process.env.CUDA_VISIBLE_DEVICES,
        setBackend: async () => true,
        backend: () => ({ isGPUPackage: ${gpuPackage}, isUsingGpuDevice: ${gpu}, binding: { TF_Version: '2.21.0' } }),
      };`,
  );
  return file;
}

describe('TensorFlow for Node', () => {
  it('is imported from the place that is handed in, its settings made before', async () => {
    const nativePaths = [await moduleFile('broken.mjs', { broken: true }), await moduleFile('cpu.mjs')];
    expect(await loadEngine('native', { nativePaths })).toMatchObject({
      name: 'native',
      version: 'tfjs 4.22.0, TensorFlow 2.21.0',
      reason: 'as asked',
      tf: { logLevel: '2', gpus: '-1' },
    });
  });

  it('is cuda where it sees a GPU, the first one alone', async () => {
    const nativePaths = [await moduleFile('gpu.mjs', { gpu: true, gpuPackage: true })];
    expect(await loadEngine('auto', { nativePaths })).toMatchObject({
      name: 'cuda',
      reason: 'the fastest there is',
      tf: { gpus: '0' },
    });
    await expect(loadEngine('native', { nativePaths })).rejects.toThrow(
      'Engine "native" is not to be had: TensorFlow runs on the GPU in this process already. Load "native" in a process of its own.',
    );
  });

  it('is left the GPU that the user names', async () => {
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '3');
    const nativePaths = [await moduleFile('gpu.mjs', { gpu: true, gpuPackage: true })];
    expect(await loadEngine('cuda', { nativePaths })).toMatchObject({ tf: { gpus: '3' } });
  });

  it('is no cuda without a GPU, and native for auto, imported once', async () => {
    const nativePaths = [await moduleFile('gpu.mjs', { gpuPackage: true })];
    await expect(loadEngine('cuda', { nativePaths })).rejects.toThrow(
      /^Engine "cuda" is not to be had: tfjs-node-gpu loads, but its TensorFlow sees no GPU .*nvidia-smi.*setup-native --gpu/,
    );
    expect(await loadEngine('auto', { nativePaths })).toMatchObject({
      name: 'native',
      reason: 'the fastest here (cuda: TensorFlow sees no GPU)',
      tf: { gpus: '0' },
    });
  });

  it('is no cuda in the build for the processor, which says how to get the other', async () => {
    const nativePaths = [await moduleFile('cpu.mjs')];
    await expect(loadEngine('cuda', { nativePaths })).rejects.toThrow(
      /Only TensorFlow for the processor.*"batchwise setup-native --gpu"/,
    );
  });

  it('that does not load is passed over with all that was tried', async () => {
    const broken = await moduleFile('broken.mjs', { broken: true });
    await expect(loadEngine('native', { nativePaths: [broken] })).rejects.toThrow(
      `${broken}: Error: no such symbol`,
    );
    const engine = await loadEngine('auto', { nativePaths: [broken] });
    expect(engine.name).toBe('wasm');
    expect(engine.reason).toMatch(/^the fastest here \(cuda, native: does not load; webgpu: [^;]+\)$/);
    expect(engine.passedOver.map(({ name }) => name)).toEqual(['cuda', 'native', 'webgpu']);
  });
});
