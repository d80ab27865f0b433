import { EngineUnavailable, isMissingPackage, type LayersTf, type LoadedEngine } from './engine.ts';
import { activate, layersOnCore } from './core-engines.ts';
import {
  describeAdapter,
  findAdapter,
  isSoftware,
  openGpu,
  refuseWithoutGpu,
  type WebgpuOptions,
} from './dawn.ts';
import type { Gpu, GpuAdapterInfo, GpuDevice } from '../webgpu/gpu.ts';

/** What TensorFlow.js asks of an adapter; by default a device gets far less than its GPU can. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

const FEATURES = ['timestamp-query'];

/** Above the engines that TensorFlow.js would otherwise take, as its own registration has it. */
const PRIORITY = 3;

/** The one WebGPU of this process, and how it was asked for. */
let opened: { readonly asked: string; readonly engine: LoadedEngine } | undefined;

/**
 * A GPU through WebGPU: Dawn's in Node.
 * @throws EngineUnavailable where there is none, or WebGPU was opened with other options in this process
 */
export async function loadWebgpu(options: WebgpuOptions = {}): Promise<LoadedEngine> {
  const asked = JSON.stringify(options.dawn ?? []);
  if (opened && opened.asked !== asked)
    throw new EngineUnavailable('opened with other options', {
      message: 'WebGPU is open in this process with other options',
      hint: 'Load it in a process of its own.',
    });
  if (options.software === false) refuseWithoutGpu();
  const tf = await layersOnCore();
  opened ??= { asked, engine: await open(tf, options) };
  await activate(tf, 'webgpu');
  return opened.engine;
}

async function open(tf: LayersTf, options: WebgpuOptions): Promise<LoadedEngine> {
  const gpu = await openGpu(options.dawn ?? []);
  const adapter = await findAdapter(gpu, options);
  const { maxBufferSize = 0, maxStorageBufferBindingSize = 0 } = adapter.limits;
  const { WebGPUBackend } = await webgpuPackage();
  // The package's own factory, which takes whichever adapter comes first.
  tf.removeBackend('webgpu');
  tf.registerBackend(
    'webgpu',
    async () => {
      const [device, info] = await openDevice(gpu, options);
      return new WebGPUBackend(device, info);
    },
    PRIORITY,
  );
  return {
    name: 'webgpu',
    tf,
    version: `tfjs ${tf.version_core}, WebGPU`,
    device: describeAdapter(adapter.info) + (isSoftware(adapter.info) ? ' (software)' : ''),
    limits: {
      memoryBytes: null,
      tensorBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
    },
  };
}

/** A new device with all that its adapter allows. An adapter gives only one, so each device takes a new one. */
async function openDevice(
  gpu: Gpu,
  options: WebgpuOptions,
): Promise<[GpuDevice, GpuAdapterInfo | undefined]> {
  const adapter = await findAdapter(gpu, options);
  const requiredLimits: Record<string, number> = {};
  for (const name of LIMITS) requiredLimits[name] = adapter.limits[name] ?? 0;
  const requiredFeatures = FEATURES.filter((feature) => adapter.features.has(feature));
  return [await adapter.requestDevice({ requiredFeatures, requiredLimits }), adapter.info];
}

type Backend = ReturnType<Parameters<LayersTf['registerBackend']>[1]>;
type WebgpuPackage = {
  readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapterInfo | undefined) => Awaited<Backend>;
};

async function webgpuPackage(): Promise<WebgpuPackage> {
  try {
    return (await import('@tensorflow/tfjs-backend-webgpu')) as unknown as WebgpuPackage;
  } catch (error) {
    if (!isMissingPackage(error)) throw error;
    throw new EngineUnavailable('the package tfjs-backend-webgpu is not installed', {
      hint: 'Run npm install @tensorflow/tfjs-backend-webgpu, or take "wasm".',
    });
  }
}
