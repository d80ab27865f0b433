export type { Engine, EngineName, LayersTf } from './engine.ts';
export { ENGINE_NAMES, loadEngine, type EngineOptions } from './load-engine.ts';
