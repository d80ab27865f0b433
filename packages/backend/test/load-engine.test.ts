import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadEngine, type EngineOptions } from '../src/node/index.ts';

type Loaders = NonNullable<EngineOptions['loaders']>;

const fails = (message: string) => () => Promise.reject(new Error(message));

describe('loadEngine', () => {
  it('sets TensorFlow.js to the engine that was asked for', async () => {
    for (const name of ['cpu', 'wasm'] as const) {
      const engine = await loadEngine(name);
      expect(engine.name).toBe(name);
      expect(engine.tf.getBackend()).toBe(name);
      expect(engine.reason).toBe('as asked');
      expect(engine.version).toMatch(/^tfjs 4\./);
    }
  });

  it('takes the next engine for auto, and says why', async () => {
    const { tf } = await loadEngine('cpu');
    const loaders: Loaders = [
      ['native', fails('libtensorflow.so.2 is not there\nand more')],
      ['wasm', () => Promise.resolve({ name: 'wasm', tf, version: '1', device: 'test' })],
      ['cpu', fails('never asked')],
    ];
    expect(await loadEngine('auto', { loaders })).toMatchObject({
      name: 'wasm',
      reason: 'the fastest that loads; native does not load: libtensorflow.so.2 is not there',
    });
  });

  it('does not replace an engine that was asked for', async () => {
    const loaders: Loaders = [['native', fails('no such file')]];
    await expect(loadEngine('native', { loaders })).rejects.toMatchObject({
      code: 'invalidOptions',
      message:
        'Engine "native" is not to be had (native does not load: no such file). Run "batchwise setup-native" or install @tensorflow/tfjs-node, or take "wasm".',
    });
  });

  it('imports native from the place that is handed in, before any installed package', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'batchwise-engine-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [broken, working] = [join(folder, 'broken.mjs'), join(folder, 'with space.mjs')];
    await writeFile(broken, 'throw new Error("no such symbol");');
    await writeFile(
      working,
      `export default {
        version: { tfjs: '4.22.0' },
        logLevel: process.env.TF_CPP_MIN_LOG_LEVEL,
        setBackend: async () => true,
        backend: () => ({ isUsingGpuDevice: true, binding: { TF_Version: '2.21.0' } }),
      };`,
    );
    vi.stubEnv('TF_CPP_MIN_LOG_LEVEL', undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const engine = await loadEngine('native', { nativePaths: [broken, working] });
    expect(engine).toMatchObject({
      name: 'native',
      version: 'tfjs 4.22.0, TensorFlow 2.21.0',
      device: 'GPU',
      reason: 'as asked',
      tf: { logLevel: '2' },
    });
    await expect(loadEngine('native', { nativePaths: [broken] })).rejects.toThrow(
      `${broken}: Error: no such symbol`,
    );
  });
});
