import type { Tensor, Tf } from '../tf.ts';

/** Values as TensorFlow.js for Node hands them over. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** What the binding says of an output. `dtype` is TensorFlow's own number, `id` names the handle. */
export interface OutputInfo {
  readonly id: number;
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** An attribute of an operation; `type` is one of the binding's `TF_ATTR_…` numbers. */
export interface BindingAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The part of TensorFlow's C API that TensorFlow.js for Node has in JavaScript. */
export interface Binding {
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  executeOp(
    name: string,
    attributes: readonly BindingAttribute[],
    // The binding's own signature.
    ...inputsAndCount: [inputIds: readonly number[], outputs: number]
  ): OutputInfo[];
  createTensor(shape: readonly number[], dtype: number, values: Values | readonly Uint8Array[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayLike<number>;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(
    session: number,
    inputIds: readonly number[],
    ...names: [inputs: string, outputs: string]
  ): OutputInfo[];
}

/** TensorFlow.js's backend object for Node: all kernels go through its `binding`, which may be replaced for a while. */
export interface NativeBackend {
  binding: Binding;
  readonly isUsingGpuDevice: boolean;
  /** Uploads what has not been uploaded yet, and answers the handles. */
  getInputTensorIds(tensors: readonly Tensor[]): number[];
  /** A tensor on a handle, which it owns from then on. */
  createOutputTensor(info: OutputInfo): Tensor;
}

const BACKEND_METHODS = ['getInputTensorIds', 'createOutputTensor'] as const;
const BINDING_METHODS = [
  'executeOp',
  'createTensor',
  'deleteTensor',
  'tensorDataSync',
  'loadSavedModel',
  'deleteSavedModel',
  'runSavedModel',
] as const;

/**
 * The backend behind `tf` where it is TensorFlow on the processor in a shape that is known here. On a GPU the values
 * that go in and out of a graph would travel through host memory.
 */
export function nativeBackendOf(tf: Pick<Tf, 'engine' | 'getBackend'>): NativeBackend | undefined {
  if (tf.getBackend() !== 'tensorflow') return undefined;
  const { backend } = tf.engine() as unknown as { readonly backend?: Partial<NativeBackend> };
  const binding = backend?.binding;
  if (!backend || !binding || backend.isUsingGpuDevice !== false) return undefined;
  const isKnown =
    BACKEND_METHODS.every((name) => typeof backend[name] === 'function') &&
    BINDING_METHODS.every((name) => typeof binding[name] === 'function');
  return isKnown ? (backend as NativeBackend) : undefined;
}
