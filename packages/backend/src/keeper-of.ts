import { PlainKeeper, type EngineKeeper, type Kept } from './engine-keeper.ts';
import { WasmKeeper } from './wasm-keeper.ts';
import { WebgpuKeeper } from './webgpu/webgpu-keeper.ts';

const KEEPERS: Readonly<Record<string, new (kept: Kept) => EngineKeeper>> = {
  wasm: WasmKeeper,
  webgpu: WebgpuKeeper,
};

/** The keeper for the engine that `tf` is set to. */
export const keeperOf = (kept: Kept): EngineKeeper =>
  new (KEEPERS[kept.tf.getBackend()] ?? PlainKeeper)(kept);
