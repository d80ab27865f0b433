export type { WebgpuOptions } from './dawn.ts';
export type { Engine, EngineLimits, EngineName, LayersTf, PassedOver } from './engine.ts';
export { ENGINE_NAMES, loadEngine, type EngineOptions } from './load-engine.ts';
export { softwareVulkan } from './software-vulkan.ts';
