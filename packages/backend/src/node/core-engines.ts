import { cpus } from 'node:os';
import { WASM_BUDGET_BYTES } from '../wasm-keeper.ts';
import { registerWasmTrainingKernels } from '../wasm-kernels/register.ts';
import { claimProcess } from './one-copy.ts';
import type { LayersTf, LoadedEngine } from './engine.ts';

const UNLIMITED = { memoryBytes: null, tensorBytes: null };

/** WebAssembly with SIMD, and the training kernels that it lacks. */
export async function loadWasm(): Promise<LoadedEngine> {
  const tf = await layersOnCore();
  await import('@tensorflow/tfjs-backend-wasm');
  registerWasmTrainingKernels(tf);
  await activate(tf, 'wasm');
  return {
    name: 'wasm',
    tf,
    version: `tfjs ${tf.version_core}`,
    device: `WebAssembly on ${processor()}`,
    limits: { memoryBytes: WASM_BUDGET_BYTES, tensorBytes: WASM_BUDGET_BYTES },
  };
}

/** Plain JavaScript. */
export async function loadCpu(): Promise<LoadedEngine> {
  const tf = await layersOnCore();
  await import('@tensorflow/tfjs-backend-cpu');
  await activate(tf, 'cpu');
  return {
    name: 'cpu',
    tf,
    version: `tfjs ${tf.version_core}`,
    device: `JavaScript on ${processor()}`,
    limits: UNLIMITED,
  };
}

/** The TensorFlow.js of this package's own tree, without an engine. */
export async function layersOnCore(): Promise<LayersTf> {
  claimProcess('packages');
  const core = await import('@tensorflow/tfjs-core');
  const layers = await import('@tensorflow/tfjs-layers');
  // Otherwise the cpu engine advises each user to install tfjs-node.
  core.enableProdMode();
  return { ...core, ...layers };
}

/** A backend that fails to start is reported by the answer alone. */
export async function activate(tf: LayersTf, backend: string): Promise<void> {
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js could not start its ${backend} backend`);
  await tf.ready();
}

export const processor = (): string => cpus()[0]?.model.trim() ?? process.arch;
