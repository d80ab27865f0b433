import { loadEngine, type Engine, type EngineOptions } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';

/** Loads an engine; native comes from what `batchwise setup-native` left, if it is there, the GPU first. */
export function loadInstalledEngine(
  name: Parameters<typeof loadEngine>[0],
  options: Omit<EngineOptions, 'nativePaths'> = {},
): Promise<Engine> {
  const locations = (['gpu', 'cpu'] as const).map((variant) => nativeLocation(cacheDirectory(), variant));
  return loadEngine(name, {
    ...options,
    nativePaths: locations.flatMap((location) => location?.entry ?? []),
  });
}
