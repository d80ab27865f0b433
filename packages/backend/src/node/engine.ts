import type * as tfc from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** TensorFlow.js with layers: what `import * as tf from '@tensorflow/tfjs'` gives, data sets apart. */
export type LayersTf = Omit<typeof tfc, 'default'> & Omit<typeof tfl, 'default'>;

/**
 * `cuda` is TensorFlow on an NVIDIA GPU, `native` TensorFlow on the processor, `webgpu` a GPU through Dawn, `wasm`
 * WebAssembly, `cpu` plain JavaScript.
 */
export type EngineName = 'cuda' | 'native' | 'webgpu' | 'wasm' | 'cpu';

/** How much fits, in bytes, as far as the engine says; null where it does not. */
export interface EngineLimits {
  /** All tensors together. */
  readonly memoryBytes: number | null;
  /** One tensor. */
  readonly tensorBytes: number | null;
}

/** An engine that came before the one that was taken, and why it was not. */
export interface PassedOver {
  readonly name: EngineName;
  /** A few words. */
  readonly why: string;
  /** The whole of it; may have several lines. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint: string;
}

/** TensorFlow.js set to one engine, ready to train. */
export interface Engine {
  readonly name: EngineName;
  readonly tf: LayersTf;
  /** Version of TensorFlow.js, and of TensorFlow or Dawn where it does the work. */
  readonly version: string;
  /** What the engine runs on, for a person. */
  readonly device: string;
  readonly limits: EngineLimits;
  /** Why it is this engine, in one line. */
  readonly reason: string;
  /** What would have been faster, in the order of preference. */
  readonly passedOver: readonly PassedOver[];
}

/** An engine that loaded, before it is known why it was taken. */
export type LoadedEngine = Omit<Engine, 'reason' | 'passedOver'>;

/** Why an engine is not to be had: a few words for a list, a message with the whole of it, and what to do. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
  readonly why: string;
  readonly hint: string;

  constructor(why: string, options: { message?: string; hint: string; cause?: unknown }) {
    super(options.message ?? why, options.cause === undefined ? {} : { cause: options.cause });
    this.why = why;
    this.hint = options.hint;
  }
}

/** An import that failed because there is no such package. */
export const isMissingPackage = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes((error as { code?: string }).code ?? '');
