export type { Engine, EngineName, LayersTf } from './engine.ts';
export { ENGINE_NAMES, loadEngine } from './load-engine.ts';
