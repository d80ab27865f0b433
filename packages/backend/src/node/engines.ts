import { cpus } from 'node:os';
import { pathToFileURL } from 'node:url';
import { registerWasmTrainingKernels } from '../wasm-kernels/register.ts';
import type { LayersTf, LoadedEngine } from './engine.ts';

/** Packages that bring TensorFlow itself, the faster one first. They are never dependencies: 300 MB, often unbuildable. */
const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/**
 * TensorFlow through the first that loads of the files at `paths`, tfjs-node-gpu and tfjs-node. Its `tf` is the module's
 * own: it brings its own copy of TensorFlow.js.
 */
export async function loadNative(paths: readonly string[]): Promise<LoadedEngine> {
  restoreUtilFunctions();
  // Only errors; otherwise each start prints a screen of what the processor could do.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const failures: string[] = [];
  for (const source of [...paths, ...NATIVE_PACKAGES]) {
    try {
      const specifier = paths.includes(source) ? pathToFileURL(source).href : source;
      const { default: tf } = (await import(specifier)) as { default: NativeTf };
      await tf.setBackend('tensorflow');
      const { isUsingGpuDevice: gpu, binding } = tf.backend() as NativeBackend;
      const version = `tfjs ${tf.version.tfjs}, TensorFlow ${binding?.TF_Version ?? 'unknown'}`;
      return { name: 'native', tf, version, device: gpu ? 'GPU' : processor() };
    } catch (error) {
      failures.push(missingPackage(error) ? `${source} is not installed` : `${source}: ${String(error)}`);
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

/** What TensorFlow.js for Node says of its device and its TensorFlow, without promising it. */
type NativeBackend = {
  readonly isUsingGpuDevice?: boolean;
  readonly binding?: { readonly TF_Version?: string };
};

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

/** Node 23 dropped two functions of `util` that tfjs-node 4.22 still calls, and Node 22 warns of one of them. */
function restoreUtilFunctions(): void {
  const util = process.getBuiltinModule?.('node:util') as unknown as Record<string, unknown> | undefined;
  if (!util) return;
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  util['isArray'] = Array.isArray;
}
