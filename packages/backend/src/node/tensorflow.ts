import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { processor } from './core-engines.ts';
import { EngineUnavailable, isMissingPackage, type LayersTf, type LoadedEngine } from './engine.ts';
import { claimProcess, releaseProcess } from './one-copy.ts';
import { applyTensorflowSettings, type TensorflowUse } from './tensorflow-settings.ts';

/** Packages that bring TensorFlow itself. They are never dependencies: 300 MB, often unbuildable. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

type NativeTf = LayersTf & { readonly version: Readonly<Record<string, string>> };

/** What TensorFlow.js for Node says of its device and its TensorFlow, without promising it. */
type NativeBackend = {
  readonly isGPUPackage?: boolean;
  readonly isUsingGpuDevice?: boolean;
  readonly binding?: { readonly TF_Version?: string };
};

type Loaded = { readonly tf: NativeTf; readonly backend: NativeBackend };

/** TensorFlow is loaded once per process, on the devices that it saw then. */
let loaded: Promise<Loaded> | undefined;

/**
 * TensorFlow on a GPU, through the first that loads of the files at `paths`, tfjs-node-gpu and tfjs-node.
 * @throws EngineUnavailable where none loads, or TensorFlow sees no GPU
 */
export async function loadCuda(paths: readonly string[]): Promise<LoadedEngine> {
  const { tf, backend } = await loadTensorflow(paths, { hideGpu: false, convolutions: true });
  if (!backend.isUsingGpuDevice)
    throw backend.isGPUPackage
      ? new EngineUnavailable('TensorFlow sees no GPU', {
          message: 'tfjs-node-gpu loads, but its TensorFlow sees no GPU and computes on the processor',
          hint:
            'See with nvidia-smi whether the driver works, leave CUDA_VISIBLE_DEVICES unset or name the GPU in it, and ' +
            'have the CUDA libraries of this TensorFlow on LD_LIBRARY_PATH ("batchwise setup-native --gpu" does).',
        })
      : new EngineUnavailable('TensorFlow without CUDA', {
          message: 'Only TensorFlow for the processor is there',
          hint: 'Run "batchwise setup-native --gpu" or install @tensorflow/tfjs-node-gpu, or take "native".',
        });
  return engine('cuda', { tf, backend }, graphicsCard());
}

/**
 * TensorFlow on the processor, through the first that loads of the files at `paths`, tfjs-node-gpu and tfjs-node. Its
 * `tf` is the module's own: it brings its own copy of TensorFlow.js.
 * @throws EngineUnavailable where none loads, or TensorFlow runs on a GPU in this process already
 */
export async function loadNative(
  paths: readonly string[],
  { convolutions = true }: Partial<TensorflowUse> = {},
): Promise<LoadedEngine> {
  const tensorflow = await loadTensorflow(paths, { hideGpu: true, convolutions });
  if (tensorflow.backend.isUsingGpuDevice)
    throw new EngineUnavailable('TensorFlow runs on the GPU', {
      message: 'TensorFlow runs on the GPU in this process already',
      hint: 'Load "native" in a process of its own.',
    });
  return engine('native', tensorflow, processor());
}

function engine(name: 'cuda' | 'native', { tf, backend }: Loaded, device: string): LoadedEngine {
  const version = `tfjs ${tf.version['tfjs'] ?? 'unknown'}, TensorFlow ${backend.binding?.TF_Version ?? 'unknown'}`;
  return { name, tf, version, device, limits: { memoryBytes: null, tensorBytes: null } };
}

function loadTensorflow(paths: readonly string[], settings: TensorflowUse): Promise<Loaded> {
  loaded ??= importFirst(paths, settings).catch((error: unknown) => {
    loaded = undefined;
    releaseProcess('node');
    throw error;
  });
  return loaded;
}

async function importFirst(paths: readonly string[], settings: TensorflowUse): Promise<Loaded> {
  claimProcess('node');
  restoreUtilFunctions();
  applyTensorflowSettings(settings);
  const failures: string[] = [];
  for (const source of [...paths, ...PACKAGES]) {
    try {
      const specifier = paths.includes(source) ? pathToFileURL(source).href : source;
      const { default: tf } = (await import(specifier)) as { default: NativeTf };
      await tf.setBackend('tensorflow');
      return { tf, backend: tf.backend() as NativeBackend };
    } catch (error) {
      const isAbsent = PACKAGES.includes(source) && isMissingPackage(error);
      if (!isAbsent) failures.push(`${source}: ${String(error)}`);
    }
  }
  const [flag, name] = settings.hideGpu ? ['', PACKAGES[1]] : [' --gpu', PACKAGES[0]];
  const hint = `Run "batchwise setup-native${flag}" or install ${name}, or take "wasm".`;
  if (failures.length === 0) {
    const message = 'TensorFlow for Node is not installed';
    throw new EngineUnavailable('not installed', { message, hint });
  }
  throw new EngineUnavailable('does not load', { message: failures.join('\n'), hint });
}

/** The model of the first GPU, as the NVIDIA driver on Linux writes it. */
function graphicsCard(): string {
  const folder = '/proc/driver/nvidia/gpus';
  try {
    const [first = ''] = readdirSync(folder);
    return /^Model:\s*(.+)$/m.exec(readFileSync(`${folder}/${first}/information`, 'utf8'))?.[1] ?? 'GPU';
  } catch {
    return 'GPU';
  }
}

/** Node 23 dropped two functions of `util` that tfjs-node 4.22 still calls, and Node 22 warns of one of them. */
function restoreUtilFunctions(): void {
  const util = process.getBuiltinModule?.('node:util') as unknown as Record<string, unknown> | undefined;
  if (!util) return;
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  util['isArray'] = Array.isArray;
}
