import { expect } from 'vitest';

/** The part of TensorFlow.js that counts tensors. */
interface Counting {
  memory(): { readonly numTensors: number; readonly numBytes: number };
}

/**
 * Runs `work` and expects as many tensors and bytes after it as before, whether it returns or throws.
 * @returns what `work` returned; an error of `work` is thrown on once the count was found right
 */
export async function expectNoLeak<T>(tf: Counting, work: () => T | Promise<T>): Promise<T> {
  const before = tf.memory();
  const check = (): void => {
    const after = tf.memory();
    expect(after.numTensors - before.numTensors, 'tensors left behind').toBe(0);
    expect(after.numBytes - before.numBytes, 'bytes left behind').toBe(0);
  };
  try {
    const result = await work();
    check();
    return result;
  } catch (error) {
    check();
    throw error;
  }
}
