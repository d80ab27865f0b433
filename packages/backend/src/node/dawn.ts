import { existsSync, readdirSync } from 'node:fs';
import { EngineUnavailable, isMissingPackage } from './engine.ts';
import type { Gpu, GpuAdapter, GpuAdapterInfo } from '../webgpu/gpu.ts';

/** How WebGPU is opened; the first call in a process decides. */
export interface WebgpuOptions {
  /** Options of Dawn, such as `backend=null` for a device that checks and counts but computes nothing. */
  readonly dawn?: readonly string[];
  /** Whether an adapter will do that computes on the processor (SwiftShader, llvmpipe). Default true. */
  readonly software?: boolean;
}

const HINT = 'Take "wasm", or see that the GPU driver brings Vulkan (vulkaninfo lists the devices).';

/**
 * WebGPU of this process: its own, where there is one, else Dawn's from the package `webgpu`.
 * @throws EngineUnavailable where there is none, or no Vulkan for it to stand on
 */
export async function openGpu(options: readonly string[]): Promise<Gpu> {
  const { navigator } = globalThis as { navigator?: { readonly gpu?: Gpu } };
  if (navigator?.gpu) return navigator.gpu;
  if (!options.some((option) => option.startsWith('backend='))) refuseWithoutVulkan();
  const gpu = await dawn(options);
  // TensorFlow.js looks there, and only when it is imported. Node 20 has no navigator, later ones a fixed one.
  if (navigator) Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
  return gpu;
}

async function dawn(options: readonly string[]): Promise<Gpu> {
  try {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    return create([...options]) as unknown as Gpu;
  } catch (error) {
    if (!isMissingPackage(error))
      throw new EngineUnavailable('Dawn does not load', {
        message: String(error),
        hint: 'Reinstall the package webgpu, or take "wasm".',
        cause: error,
      });
    throw new EngineUnavailable('the package webgpu is not installed', {
      hint: 'Run npm install webgpu @tensorflow/tfjs-backend-webgpu, or take "wasm".',
    });
  }
}

/** Dawn itself would say so on the standard error stream. */
function refuseWithoutVulkan(): void {
  if (process.platform !== 'linux') return;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
  } catch (error) {
    // A library that is no addon of Node is found all the same.
    if (!/cannot open shared object/.test(String(error))) return;
    throw new EngineUnavailable('no Vulkan', {
      message: 'libvulkan.so.1 is not installed',
      hint: 'Install the Vulkan loader (Debian, Ubuntu: apt install libvulkan1) and the driver of your GPU, or take "wasm".',
    });
  }
}

/**
 * The fastest adapter.
 * @throws EngineUnavailable where there is none, or none but software and that will not do
 */
export async function findAdapter(gpu: Gpu, { software = true }: WebgpuOptions): Promise<GpuAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new EngineUnavailable('no GPU', {
      message: 'WebGPU finds no adapter (no GPU that Vulkan can use)',
      hint: HINT,
    });
  if (!software && isSoftware(adapter.info))
    throw new EngineUnavailable('no GPU', {
      message: `WebGPU has only ${describeAdapter(adapter.info)}, which computes on the processor`,
      hint: 'Ask for "webgpu" by name to use it all the same, or take "wasm".',
    });
  return adapter;
}

/**
 * @throws EngineUnavailable on Linux without a GPU, before 60 MB of Dawn are loaded to find that out
 */
export function refuseWithoutGpu(): void {
  if (process.platform !== 'linux' || existsSync('/dev/dxg') || existsSync('/dev/nvidiactl')) return;
  if (existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'))) return;
  throw new EngineUnavailable('no GPU', { message: 'There is no GPU in /dev/dri', hint: HINT });
}

/** True for what computes on the processor, or not at all. */
export const isSoftware = (info: GpuAdapterInfo | undefined): boolean =>
  info?.isFallbackAdapter === true ||
  /swiftshader|llvmpipe|lavapipe|softpipe|microsoft basic render|null-backend/i.test(
    `${info?.architecture} ${info?.device} ${info?.description}`,
  );

export const describeAdapter = (info: GpuAdapterInfo | undefined): string =>
  info?.description || info?.device || info?.architecture || info?.vendor || 'an unnamed GPU';
