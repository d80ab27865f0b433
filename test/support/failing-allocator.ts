import type { LayersTf } from '@batchwise/backend/node';

/** How an engine can be made to run out of memory: after some allocations, in its own words. */
export interface FailingAllocator {
  /** Runs `work`; its allocation number `after` (from 0), and all later ones, fail. */
  fail<T>(after: number, work: () => Promise<T>): Promise<T>;
}

interface WasmModule {
  _malloc(bytes: number): number;
}

interface NativeBinding {
  executeOp(...call: readonly unknown[]): unknown;
}

/** As the budget of the wasm engine refuses a tensor. */
function budgetError(): Error {
  const error = new Error('Tensors would take 3.21 GB of at most 3.20 GB on wasm.');
  error.name = 'WasmBudgetError';
  return error;
}

/** As TensorFlow reports RESOURCE_EXHAUSTED. */
const exhausted = (): Error =>
  new Error('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[32,784] and type float');

/** Throws in place of the calls from number `after` on. */
const refuse = <Call extends readonly unknown[], Result>(
  call: (...values: Call) => Result,
  { after, error }: { readonly after: { left: number }; readonly error: () => Error },
) => {
  return (...values: Call): Result => {
    if (after.left <= 0) throw error();
    after.left -= 1;
    return call(...values);
  };
};

/** For the WebAssembly and the native engine: each of their allocations, or operations, passes one function. */
export function failingAllocator(tf: LayersTf): FailingAllocator {
  return tf.getBackend() === 'wasm' ? failingHeap(tf) : failingBinding(tf);
}

function failingHeap(tf: LayersTf): FailingAllocator {
  const { wasm } = tf.backend() as unknown as { wasm: WasmModule };
  return {
    async fail(after, work) {
      const real = wasm._malloc;
      wasm._malloc = refuse((bytes: number) => real.call(wasm, bytes), {
        after: { left: after },
        error: budgetError,
      });
      try {
        return await work();
      } finally {
        wasm._malloc = real;
      }
    },
  };
}

/** Steps that run as one graph fail as a whole. */
function failingBinding(tf: LayersTf): FailingAllocator {
  const backend = tf.backend() as unknown as { binding: NativeBinding };
  return {
    async fail(after, work) {
      const { binding } = backend;
      const refusal = { after: { left: after }, error: exhausted };
      const value = refuse((...call: readonly unknown[]) => binding.executeOp(...call), refusal);
      const graph = {
        value: () => {
          throw exhausted();
        },
      };
      backend.binding = Object.create(binding, {
        executeOp: { value },
        runSavedModel: graph,
      }) as NativeBinding;
      try {
        return await work();
      } finally {
        backend.binding = binding;
      }
    },
  };
}
