import type { LayersTf } from '@batchwise/backend/node';

/** Counts the graphs that TensorFlow takes in from now on; `stop` answers how many there were. */
export function countLoads(tf: LayersTf): { stop(): number } {
  const backend = tf.backend() as unknown as {
    binding: { loadSavedModel(folder: string, tags: string): number };
  };
  const { binding } = backend;
  let count = 0;
  backend.binding = Object.create(binding, {
    loadSavedModel: {
      value: (folder: string, tags: string) => {
        count += 1;
        return binding.loadSavedModel(folder, tags);
      },
    },
  }) as typeof binding;
  return {
    stop() {
      backend.binding = binding;
      return count;
    },
  };
}
