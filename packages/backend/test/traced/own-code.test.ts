import { beforeAll, describe, expect, it } from 'vitest';
import { loadEngine, type LayersTf } from '../../src/node/index.ts';
import { foreignCode, isOwnOptimizer } from '../../src/traced/own-code.ts';

let tf: LayersTf;
beforeAll(async () => {
  ({ tf } = await loadEngine('cpu'));
});

type Layer = Parameters<ReturnType<LayersTf['sequential']>['add']>[0];

describe('foreignCode', () => {
  function modelOf(layers: readonly Layer[], given = {}) {
    const model = tf.sequential({ layers: [...layers] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['accuracy'], ...given });
    return model;
  }
  const dense = (given = {}) => tf.layers.dense({ units: 2, inputShape: [2], ...given });

  it('finds none in what TensorFlow.js ships', () => {
    const inner = tf.sequential({ layers: [dense(), tf.layers.batchNormalization()] });
    const model = modelOf([
      inner,
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.repeatVector({ n: 3 }),
      tf.layers.bidirectional({
        layer: tf.layers.lstm({ units: 2, recurrentInitializer: 'zeros' }),
        mergeMode: 'sum',
      }),
      dense({ kernelRegularizer: tf.regularizers.l2({ l2: 0.1 }) }),
    ]);
    expect(foreignCode(tf, model)).toBeUndefined();
    const functions = { loss: tf.losses.huberLoss, metrics: [[tf.metrics.meanSquaredError]] };
    expect(foreignCode(tf, modelOf([dense()], functions))).toBeUndefined();
  });

  it('finds a class of the user, however deep, also one made of a known one', () => {
    class Mine extends tf.layers.Layer {
      static get className() {
        return 'Mine';
      }
    }
    const known = dense().constructor as unknown as new (args: object) => Layer;
    const Made = class Shy extends known {};
    const nested = tf.sequential({ layers: [dense(), new Mine({})] });
    expect(foreignCode(tf, modelOf([dense(), nested]))).toBe('the class Mine (Mine)');
    expect(foreignCode(tf, modelOf([new Made({ units: 1, inputShape: [2] })]))).toBe('the class Shy (Dense)');
  });

  it('finds an activation of the user, and none in those of TensorFlow.js', () => {
    class Jitter extends tf.serialization.Serializable {
      static get className() {
        return 'jitter';
      }
      apply = <Values>(values: Values) => values;
      getConfig = () => ({});
    }
    tf.serialization.registerClass(Jitter);
    const own =
      'elu gelu gelu_new hardSigmoid linear logSoftmax mish relu relu6 selu sigmoid softmax softplus softsign swish tanh'
        .split(' ')
        .map((activation) => foreignCode(tf, modelOf([dense({ activation })])));
    expect(own).toEqual(Array<undefined>(16).fill(undefined));
    expect(foreignCode(tf, modelOf([dense({ activation: 'jitter' })]))).toBe('the class Jitter (jitter)');
    const jitter = { recurrentActivation: 'jitter' } as object;
    const recurrent = tf.layers.lstm({
      units: 2,
      inputShape: [3, 2],
      recurrentInitializer: 'zeros',
      ...jitter,
    });
    expect(foreignCode(tf, modelOf([recurrent]))).toBe('the class Jitter (jitter)');
  });

  it('finds a penalty, a loss and a metric of the user', () => {
    class Penalty extends (tf.regularizers.l2({ l2: 0.1 }).constructor as unknown as new (
      args: object,
    ) => object) {}
    expect(foreignCode(tf, modelOf([dense({ kernelRegularizer: new Penalty({ l2: 0.2 }) })]))).toBe(
      'the class Penalty (L1L2)',
    );
    const twice: typeof tf.losses.meanSquaredError = (a, b) => tf.mul(tf.losses.meanSquaredError(a, b), 2);
    expect(foreignCode(tf, modelOf([dense()], { loss: twice }))).toBe('the function twice');
    expect(foreignCode(tf, modelOf([dense()], { metrics: { [modelOf([dense()]).name]: twice } }))).toBe(
      'the function twice',
    );
  });

  it('finds a layer that keeps its state from batch to batch', () => {
    const layer = tf.layers.lstm({
      units: 2,
      recurrentInitializer: 'zeros',
      stateful: true,
      batchInputShape: [4, 3, 2],
    });
    expect(foreignCode(tf, modelOf([layer, dense()]))).toBe('a layer that is stateful');
  });
});

describe('isOwnOptimizer', () => {
  it('tells those of TensorFlow.js from those made of them', () => {
    class Mine extends tf.AdamOptimizer {}
    const { sgd, momentum, adam, adamax, rmsprop, adagrad, adadelta } = tf.train;
    for (const own of [sgd(1), momentum(1, 0.9), adam(), adamax(), rmsprop(1), adagrad(1), adadelta()])
      expect(isOwnOptimizer(tf, own)).toBe(true);
    expect(isOwnOptimizer(tf, new Mine(1, 0.9, 0.99))).toBe(false);
    expect(isOwnOptimizer(tf, { applyGradients: () => undefined })).toBe(false);
  });
});
