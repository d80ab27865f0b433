import type { EngineLimits, EngineName, WebgpuOptions } from '@batchwise/backend/node';

/** What a probe, a process of its own, is asked to do. */
export type ProbeRequest =
  /** To load an engine, and to train on it where that is wanted. */
  | {
      readonly task: 'engine';
      readonly engine: EngineName | 'auto';
      readonly webgpu?: WebgpuOptions;
      readonly train: boolean;
    }
  /** To list the graphics cards. */
  | { readonly task: 'graphics' };

/** A graphics card as the system lists it. */
export interface GraphicsCard {
  readonly vendor: string;
  readonly model: string;
  readonly memoryBytes: number | null;
}

/** Limits of a WebGPU device, bytes. */
export interface WebgpuLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/** What an engine says of itself once it is loaded. */
export interface LoadedFacts {
  readonly engine: EngineName;
  readonly version: string;
  readonly device: string;
  readonly limits: EngineLimits;
  readonly webgpu: WebgpuLimits | null;
  readonly reason: string;
}

/** What a probe sends: how far it is, and at its end one of the others. */
export type ProbeMessage =
  | { readonly kind: 'phase'; readonly phase: string }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly hint: string }
  | { readonly kind: 'loaded'; readonly facts: LoadedFacts }
  | {
      readonly kind: 'trained';
      readonly facts: LoadedFacts;
      /** One for each step that is compared; null where it is no finite number. */
      readonly losses: readonly (number | null)[];
      readonly firstStepMs: number;
      /** Of the steps after the compared ones. */
      readonly stepMs: readonly number[];
    }
  | { readonly kind: 'graphics'; readonly cards: readonly GraphicsCard[] };
