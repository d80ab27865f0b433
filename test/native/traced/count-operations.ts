import type { LayersTf } from '@batchwise/backend/node';

/** How often TensorFlow is asked for a single operation while `work` runs. */
export async function countOperations(tf: LayersTf, work: () => Promise<void>): Promise<number> {
  const backend = tf.backend() as unknown as { binding: { executeOp(...args: unknown[]): unknown } };
  const { binding } = backend;
  let count = 0;
  backend.binding = Object.create(binding, {
    executeOp: {
      value: (...args: unknown[]) => {
        count += 1;
        return binding.executeOp(...args);
      },
    },
  }) as typeof binding;
  try {
    await work();
  } finally {
    backend.binding = binding;
  }
  return count;
}
