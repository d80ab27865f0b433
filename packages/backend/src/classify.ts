import type { FailedStep } from '@batchwise/core';

type Verdict = FailedStep['kind'] | 'other';

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** TensorFlow reports status 8, RESOURCE_EXHAUSTED; the process stays usable. */
const nativeError = (error: unknown): Verdict =>
  /Invalid TF_Status: 8\b|OOM when allocating/.test(textOf(error)) ? 'outOfMemory' : 'other';

/** V8 refuses a typed array; nothing was allocated. */
const cpuError = (error: unknown): Verdict =>
  /Array buffer allocation failed|Invalid typed array length/.test(textOf(error)) ? 'outOfMemory' : 'other';

/** WebAssembly out of heap ends in an abort after which the module is dead: no failure to recover from. */
const wasmError = (error: unknown): Verdict => (isDeadWasm(error) ? 'other' : cpuError(error));

/** True for the errors of a WebAssembly module that ran out of its heap; each later call fails too. */
export const isDeadWasm = (error: unknown): boolean =>
  /memory access out of bounds|Aborted\(|table index is out of bounds/.test(textOf(error));

const VERDICTS: Readonly<Record<string, (error: unknown) => Verdict>> = {
  tensorflow: nativeError,
  wasm: wasmError,
  cpu: cpuError,
};

/** Recognises an error by the engine it came from; an engine that is not known here recovers from nothing. */
export const classifyError = (engine: string, error: unknown): Verdict =>
  VERDICTS[engine]?.(error) ?? 'other';
