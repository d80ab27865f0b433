import { cpus } from 'node:os';
import { registerWasmTrainingKernels } from '../wasm-kernels/register.ts';
import type { LayersTf, LoadedEngine } from './engine.ts';

/** Packages that bring TensorFlow itself, the faster one first. They are never dependencies: 300 MB, often unbuildable. */
const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** TensorFlow through tfjs-node-gpu or tfjs-node, whichever is installed and loads. */
export async function loadNative(): Promise<LoadedEngine> {
  restoreUtilFunctions();
  const failures: string[] = [];
  for (const name of NATIVE_PACKAGES) {
    try {
      const module = (await import(name)) as { default: NativeTf };
      const tf = module.default;
      await tf.setBackend('tensorflow');
      const gpu = name.endsWith('-gpu') && (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice;
      const version = `tfjs ${tf.version.tfjs}, TensorFlow ${tf.version['tensorflow'] ?? 'unknown'}`;
      return { name: 'native', tf, version, device: gpu ? 'GPU' : processor() };
    } catch (error) {
      failures.push(missingPackage(error) ? `${name} is not installed` : `${name}: ${String(error)}`);
    }
  }
  throw new Error(failures.join(', '));
}

/** WebAssembly with SIMD, and the training kernels that it lacks. */
export async function loadWasm(): Promise<LoadedEngine> {
  const tf = await layersOnCore();
  await import('@tensorflow/tfjs-backend-wasm');
  registerWasmTrainingKernels(tf);
  await activate(tf, 'wasm');
  return { name: 'wasm', tf, version: `tfjs ${tf.version_core}`, device: `WebAssembly on ${processor()}` };
}

/** Plain JavaScript. */
export async function loadCpu(): Promise<LoadedEngine> {
  const tf = await layersOnCore();
  await import('@tensorflow/tfjs-backend-cpu');
  await activate(tf, 'cpu');
  return { name: 'cpu', tf, version: `tfjs ${tf.version_core}`, device: `JavaScript on ${processor()}` };
}

type NativeTf = LayersTf & { readonly version: Readonly<Record<string, string>> };

async function layersOnCore(): Promise<LayersTf> {
  const core = await import('@tensorflow/tfjs-core');
  const layers = await import('@tensorflow/tfjs-layers');
  // Otherwise the cpu engine advises each user to install tfjs-node.
  core.enableProdMode();
  return { ...core, ...layers };
}

async function activate(tf: LayersTf, backend: string): Promise<void> {
  // A backend that fails to start is reported by the answer alone.
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js could not start its ${backend} backend`);
  await tf.ready();
}

const missingPackage = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes((error as { code?: string }).code ?? '');

const processor = (): string => cpus()[0]?.model.trim() ?? process.arch;

/** Node 23 dropped two functions of `util` that tfjs-node 4.22 still calls. */
function restoreUtilFunctions(): void {
  const util = process.getBuiltinModule?.('node:util') as unknown as Record<string, unknown> | undefined;
  if (!util) return;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
