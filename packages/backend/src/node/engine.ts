import type * as tfc from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** TensorFlow.js with layers: what `import * as tf from '@tensorflow/tfjs'` gives, data sets apart. */
export type LayersTf = Omit<typeof tfc, 'default'> & Omit<typeof tfl, 'default'>;

/** `native` is TensorFlow through tfjs-node-gpu or tfjs-node, `wasm` WebAssembly, `cpu` plain JavaScript. */
export type EngineName = 'native' | 'wasm' | 'cpu';

/** TensorFlow.js set to one engine, ready to train. */
export interface Engine {
  readonly name: EngineName;
  readonly tf: LayersTf;
  /** Version of TensorFlow.js, and of TensorFlow itself where it does the work. */
  readonly version: string;
  /** What the engine runs on, for a person. */
  readonly device: string;
  /** Why it is this engine: what came before it in the order, and why that did not load. */
  readonly reason: string;
}

/** An engine that loaded, before it is known why it was taken. */
export type LoadedEngine = Omit<Engine, 'reason'>;
