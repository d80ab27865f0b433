export {
  allocatorStatistics,
  type AllocatorReader,
  type AllocatorStatistics,
} from './allocator-statistics.ts';
export {
  nativeFailure,
  nativeLocation,
  type InstallationRecord,
  type NativeLocation,
  type Origin,
  type Variant,
} from './installation.ts';
export type { Machine } from './needs.ts';
export type { SetupProgress } from './progress.ts';
export type { Command, Ending, Run } from './run.ts';
export { SetupError, type SetupErrorCode } from './setup-error.ts';
export { setupNative, type SetupOptions, type SetupResult } from './setup-native.ts';
