import { loadEngine, type Engine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';

/** Loads an engine; native comes from what `batchwise setup-native` left, if it is there, the GPU first. */
export function loadInstalledEngine(
  name: Parameters<typeof loadEngine>[0],
  { convolutions }: { readonly convolutions: boolean },
): Promise<Engine> {
  const locations = (['gpu', 'cpu'] as const).map((variant) => nativeLocation(cacheDirectory(), variant));
  const nativePaths = locations.flatMap((location) => location?.entry ?? []);
  return loadEngine(name, { nativePaths, convolutions });
}
