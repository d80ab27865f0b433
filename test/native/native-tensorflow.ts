import { loadEngine, type LayersTf } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';

const location = nativeLocation(cacheDirectory(), 'cpu');

/** Why tests on native TensorFlow are skipped, undefined where it is set up. */
export const WHY_NO_NATIVE = location
  ? undefined
  : 'native TensorFlow is not set up: run "batchwise setup-native"';

/** TensorFlow.js with the counts that its binding keeps. */
export interface NativeTensorflow {
  readonly tf: LayersTf;
  /** Handles of TensorFlow that are alive. */
  readonly handles: () => number;
  /** Graphs that are loaded. */
  readonly graphs: () => number;
}

export async function nativeTensorflow(): Promise<NativeTensorflow> {
  const { tf } = await loadEngine('native', { nativePaths: location ? [location.entry] : [] });
  const { binding } = tf.backend() as unknown as {
    readonly binding: { getNumOfTensors(): number; getNumOfSavedModels(): number };
  };
  return { tf, handles: () => binding.getNumOfTensors(), graphs: () => binding.getNumOfSavedModels() };
}
