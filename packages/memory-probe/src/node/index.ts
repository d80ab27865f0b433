export { cgroupMemory, type CgroupMemory } from './cgroup.ts';
export { gpuInventory, type GpuDescription, type InventorySources } from './gpu-inventory.ts';
export { hostRoom, type MemoryRoom } from './host-room.ts';
export { isolatedTrial, type IsolationOptions } from './isolated-trial.ts';
export { nvidiaMemory, type NvidiaMemory, type NvidiaReading } from './nvidia.ts';
export { processMemory, residentMeter, type ProcessMemory } from './process-memory.ts';
export { serveTrial, type TrialChannel } from './serve-trial.ts';
