import type { LayersTf } from '@batchwise/backend/node';
import { classifier, type Model } from './support.ts';

export const HOOKS = [
  'onTrainBegin',
  'onEpochBegin',
  'onBatchBegin',
  'onBatchEnd',
  'onEpochEnd',
  'onTrainEnd',
] as const;

/** A callback that throws in one hook, in the second epoch and its third batch where it has any. */
export function throwingIn(tf: LayersTf, hook: (typeof HOOKS)[number]) {
  class Plain extends tf.Callback {}
  const callback = new Plain();
  let epoch = 0;
  callback.onEpochBegin = async (index: number) => void (epoch = index);
  const hooked = callback[hook].bind(callback);
  const calls = new Map<number, number>();
  callback[hook] = async (index?: unknown) => {
    await hooked(index as never);
    calls.set(epoch, (calls.get(epoch) ?? 0) + 1);
    if (hook.includes('Train') || (epoch === 1 && (hook.includes('Epoch') || calls.get(1) === 3)))
      throw new Error(`planted in ${hook}`);
  };
  return callback;
}

/** An observer that throws at its third step. */
export const brittleObserver = () => ({
  name: 'brittle',
  onStepFinished: ({ step }: { step: number }) => {
    if (step === 3) throw new Error('planted');
  },
});

/** What an optimizer is, apart from how often it was used. */
export const shapeOf = (optimizer: object) => {
  const own = Object.entries(Object.getOwnPropertyDescriptors(optimizer));
  const fields = own.map(([key, { value, get, set }]) => [key, typeof value, typeof get, typeof set]);
  return { fields, rate: (optimizer as { learningRate?: number }).learningRate };
};

export const PASSES = ['forward', 'gradient', 'update'] as const;

/** A model one of whose passes throws while `fails` is set. */
export function brittleModel(
  tf: LayersTf,
  where: (typeof PASSES)[number],
): { readonly model: Model; fails: boolean } {
  const model = classifier(tf, tf.train.sgd(0.1));
  const brittle = { model, fails: false };
  const planted = (pass: (typeof PASSES)[number]): void => {
    if (brittle.fails && pass === where) throw new Error(`planted in ${where}`);
  };
  type Values = ReturnType<typeof tf.tensor2d>;
  const loss = tf.customGrad((x) => {
    planted('forward');
    return {
      value: tf.mean(tf.square(x as Values)),
      gradFunc: (dy) => {
        planted('gradient');
        return tf.mul(dy, tf.onesLike(x as Values));
      },
    };
  });
  model.compile({
    optimizer: tf.train.sgd(0.1),
    loss: (target, output) => loss(tf.sub(target, output)),
    metrics: ['accuracy'],
  });
  const own = model.optimizer.applyGradients.bind(model.optimizer);
  if (where === 'update')
    model.optimizer.applyGradients = (gradients) => {
      own(gradients);
      planted('update');
    };
  return brittle;
}
