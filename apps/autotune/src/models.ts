import type { LayersTf } from '@batchwise/backend/node';
import type { ImageShape } from '@batchwise/data';

export const MODEL_NAMES = ['mlp', 'cnn'] as const;

export type ModelName = (typeof MODEL_NAMES)[number];

export interface ModelRequest {
  readonly name: ModelName;
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** Decides the initial weights. */
  readonly seed: number;
}

type Sequential = ReturnType<LayersTf['sequential']>;

/** A model for images, not yet compiled. The MLP takes them flat. */
export function makeModel(tf: LayersTf, request: ModelRequest): Sequential {
  let drawn = 0;
  // Each layer draws from a seed of its own; two layers of one shape must not start alike.
  const kernelInitializer = () => tf.initializers.glorotUniform({ seed: request.seed * 1000 + (drawn += 1) });
  return request.name === 'mlp' ? mlp(tf, request, kernelInitializer) : cnn(tf, request, kernelInitializer);
}

type Initializer = () => ReturnType<LayersTf['initializers']['glorotUniform']>;

/** The reference MLP: two hidden layers of 50. */
function mlp(tf: LayersTf, { imageShape, classes }: ModelRequest, initializer: Initializer): Sequential {
  const [height, width, channels] = imageShape;
  const dense = (units: number, activation: 'relu' | 'softmax', inputShape?: [number]) =>
    tf.layers.dense({
      units,
      activation,
      kernelInitializer: initializer(),
      ...(inputShape && { inputShape }),
    });
  return tf.sequential({
    layers: [dense(50, 'relu', [height * width * channels]), dense(50, 'relu'), dense(classes, 'softmax')],
  });
}

/** The reference CNN: two convolutions of 3 × 3 with pooling, and one hidden layer. */
function cnn(tf: LayersTf, { imageShape, classes }: ModelRequest, initializer: Initializer): Sequential {
  const convolution = (filters: number, inputShape?: ImageShape) =>
    tf.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: initializer(),
      ...(inputShape && { inputShape: [...inputShape] }),
    });
  const pooling = () => tf.layers.maxPooling2d({ poolSize: 2, strides: 2 });
  return tf.sequential({
    layers: [
      convolution(16, imageShape),
      pooling(),
      convolution(32),
      pooling(),
      tf.layers.flatten(),
      tf.layers.dense({ units: 64, activation: 'relu', kernelInitializer: initializer() }),
      tf.layers.dense({ units: classes, activation: 'softmax', kernelInitializer: initializer() }),
    ],
  });
}
