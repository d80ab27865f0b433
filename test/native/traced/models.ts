import type { LayersTf } from '@batchwise/backend/node';

type Optimizer = Parameters<ReturnType<LayersTf['sequential']>['compile']>[0]['optimizer'];
type Layer = Parameters<ReturnType<LayersTf['sequential']>['add']>[0];

const seeded = (tf: LayersTf, seed: number) => tf.initializers.glorotUniform({ seed });

/** Layers, compiled for classification. */
export function compiled(tf: LayersTf, layers: readonly Layer[], optimizer: Optimizer = 'sgd') {
  const model = tf.sequential({ layers: [...layers] });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Dense `width`-6-3 with a softmax, the same initial weights each time; `between` come after the first layer. */
export const classifier = (
  tf: LayersTf,
  optimizer: Optimizer,
  { between = [], l2 = 0 }: { readonly between?: readonly Layer[]; readonly l2?: number } = {},
) =>
  compiled(
    tf,
    [
      tf.layers.dense({
        units: 6,
        inputShape: [4],
        activation: 'tanh',
        kernelInitializer: seeded(tf, 1),
        ...(l2 > 0 && { kernelRegularizer: tf.regularizers.l2({ l2 }) }),
      }),
      ...between,
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(tf, 2) }),
    ],
    optimizer,
  );

/** Networks of several kinds, with the shape of their examples. */
export const NETWORKS = {
  'convolutions and pooling': {
    shape: [10, 10, 2],
    layers: (tf: LayersTf): Layer[] => [
      tf.layers.conv2d({
        filters: 4,
        kernelSize: 3,
        activation: 'relu',
        inputShape: [10, 10, 2],
        kernelInitializer: seeded(tf, 1),
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.depthwiseConv2d({ kernelSize: 3, depthwiseInitializer: seeded(tf, 2) }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(tf, 3) }),
    ],
  },
  'batch normalisation': {
    shape: [6],
    layers: (tf: LayersTf): Layer[] => [
      tf.layers.dense({ units: 8, useBias: false, inputShape: [6], kernelInitializer: seeded(tf, 1) }),
      tf.layers.batchNormalization({ momentum: 0.8 }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(tf, 2) }),
    ],
  },
  'layer normalisation and a slope that is learned': {
    shape: [6],
    layers: (tf: LayersTf): Layer[] => [
      tf.layers.dense({ units: 8, inputShape: [6], kernelInitializer: seeded(tf, 1) }),
      tf.layers.layerNormalization(),
      tf.layers.prelu(),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(tf, 2) }),
    ],
  },
  LSTM: {
    shape: [7, 3],
    layers: (tf: LayersTf): Layer[] => [
      tf.layers.lstm({
        units: 5,
        inputShape: [7, 3],
        kernelInitializer: seeded(tf, 1),
        recurrentInitializer: seeded(tf, 2),
      }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(tf, 3) }),
    ],
  },
  'GRU both ways, in sequences': {
    shape: [5, 3],
    layers: (tf: LayersTf): Layer[] => [
      tf.layers.bidirectional({
        layer: tf.layers.gru({
          units: 4,
          returnSequences: true,
          kernelInitializer: seeded(tf, 1),
          recurrentInitializer: seeded(tf, 2),
        }),
        mergeMode: 'concat',
        inputShape: [5, 3],
      }),
      tf.layers.globalAveragePooling1d({}),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(tf, 3) }),
    ],
  },
} as const;
