import type { FailedStep } from '@batchwise/core';

export type Verdict = FailedStep['kind'] | 'other';

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** TensorFlow reports status 8, RESOURCE_EXHAUSTED; the process stays usable. */
const nativeError = (error: unknown): Verdict =>
  /Invalid TF_Status: 8\b|OOM when allocating/.test(textOf(error)) ? 'outOfMemory' : 'other';

/** V8 refuses a typed array; nothing was allocated. */
const cpuError = (error: unknown): Verdict =>
  /Array buffer allocation failed|Invalid typed array length/.test(textOf(error)) ? 'outOfMemory' : 'other';

/** A `WasmBudgetError` comes before the heap is full. After that the module is dead: no failure to recover from. */
const wasmError = (error: unknown): Verdict => {
  if (isDeadWasm(error)) return 'other';
  return /^WasmBudgetError/.test(textOf(error)) ? 'outOfMemory' : cpuError(error);
};

/** True for the errors of a WebAssembly module that ran out of its heap; each later call fails too. */
export const isDeadWasm = (error: unknown): boolean =>
  /memory access out of bounds|Aborted\(|table index is out of bounds/.test(textOf(error));

/**
 * What WebGPU says of a buffer that the device could not make: it is out of memory, or the buffer is above a limit of
 * the device; so is a dispatch of more than 65,535 workgroups. Fewer examples help in each case. Dawn speaks of limits,
 * the WebGPU of Firefox of maxima.
 */
const GPU_TOO_LARGE =
  /^GPUOutOfMemoryError|createBuffer failed to allocate|Dispatch size exceeds WebGPU limits|(exceeds|larger than|greater than)[^.]*(\bmax|limit)/;

/** Reads of a device that was lost are aborted. */
const gpuError = (error: unknown): Verdict => {
  const text = textOf(error);
  if (/^(DeviceLostError|AbortError)/.test(text)) return 'deviceLost';
  return GPU_TOO_LARGE.test(text) ? 'outOfMemory' : 'other';
};

const VERDICTS: Readonly<Record<string, (error: unknown) => Verdict>> = {
  tensorflow: nativeError,
  wasm: wasmError,
  webgpu: gpuError,
  cpu: cpuError,
};

/** Recognises an error by the engine it came from; an engine that is not known here recovers from nothing. */
export const classifyError = (engine: string, error: unknown): Verdict =>
  VERDICTS[engine]?.(error) ?? 'other';
