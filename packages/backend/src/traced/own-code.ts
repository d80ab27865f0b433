import type { LayersModel } from '../tf.ts';

/** What `tf` has on classes, losses and metrics of its own, as far as it has them. */
interface Classes {
  readonly serialization?: {
    readonly SerializationMap: {
      getMap(): { readonly classNameMap: Readonly<Record<string, readonly [unknown, ...unknown[]]>> };
    };
  };
  readonly losses?: Readonly<Record<string, unknown>>;
  readonly metrics?: Readonly<Record<string, unknown>>;
}

/** An object that says its class, as all layers, cells, regularizers and optimizers do. */
interface Named {
  getClassName(): string;
}

/**
 * Layers, cells, regularizers and activations whose result depends on their inputs, their weights and what they were made
 * with.
 */
const OWN_PARTS = new Set(
  (
    'Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization ' +
    'Bidirectional CenterCrop Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D ' +
    'ConvLSTM2DCell Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten Functional GRU GRUCell ' +
    'GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D ' +
    'GlobalMaxPooling2D InputLayer L1L2 LSTM LSTMCell LayerNormalization LeakyReLU Masking MaxPooling1D ' +
    'MaxPooling2D MaxPooling3D Maximum Minimum Model Multiply PReLU Permute RNN ReLU RepeatVector Rescaling ' +
    'Reshape Resizing SeparableConv2D Sequential SimpleRNN SimpleRNNCell Softmax SpatialDropout1D ' +
    'StackedRNNCells ThresholdedReLU TimeDistributed UpSampling2D ZeroPadding2D ' +
    'elu gelu gelu_new hardSigmoid linear logSoftmax mish relu relu6 selu sigmoid softmax softplus softsign swish tanh'
  ).split(' '),
);

const OWN_OPTIMIZERS = new Set(['SGD', 'Momentum', 'Adam', 'Adamax', 'RMSProp', 'Adagrad', 'Adadelta']);

/**
 * What in a model is not TensorFlow.js's own, or keeps state between batches: its `call` may compute something else at
 * each step, which a trace would not show. Undefined where there is nothing of the kind.
 */
export function foreignCode(tf: unknown, model: LayersModel): string | undefined {
  const { losses = {}, metrics = {} } = tf as Classes;
  const own = new Set([...Object.values(losses), ...Object.values(metrics)]);
  const compiled = [model.loss, (model as { readonly metrics?: unknown }).metrics].flatMap(leaves);
  const foreign = compiled.find((item) => typeof item === 'function' && !own.has(item));
  if (typeof foreign === 'function') return `the function ${foreign.name || 'given as loss or metric'}`;
  return foreignPart(tf as Classes, model, new Set());
}

/** True of an optimizer that TensorFlow.js ships, not of a class made from one. */
export const isOwnOptimizer = (tf: unknown, optimizer: unknown): boolean =>
  isNamed(optimizer) && isOwn(tf as Classes, optimizer, OWN_OPTIMIZERS);

/** Where layers hold what they compute with beside other layers; an activation has `apply` in place of `call`. */
const HOLDS_A_PART = /(Regularizer|[aA]ctivation)$/;

/** Goes through all layers, cells, regularizers and activations that an object holds. */
function foreignPart(tf: Classes, owner: object, seen: Set<unknown>): string | undefined {
  if (seen.has(owner)) return undefined;
  seen.add(owner);
  if (isNamed(owner)) {
    if (!isOwn(tf, owner, OWN_PARTS)) return `the class ${owner.constructor.name} (${owner.getClassName()})`;
    if ((owner as { readonly stateful?: unknown }).stateful === true) return 'a layer that is stateful';
  }
  for (const [name, value] of Object.entries(owner)) {
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const isPart = isNamed(item) && (isLayer(item) || HOLDS_A_PART.test(name));
      const found = isPart ? foreignPart(tf, item, seen) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function isOwn(tf: Classes, object: Named, names: ReadonlySet<string>): boolean {
  const name = object.getClassName();
  const registered = tf.serialization?.SerializationMap.getMap().classNameMap[name]?.[0];
  return names.has(name) && registered === object.constructor;
}

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' && value !== null && 'getClassName' in value;

const isLayer = (value: object): boolean => 'call' in value;

/** The values in nested lists and objects. */
const leaves = (value: unknown): readonly unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value];
