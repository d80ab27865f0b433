import type { FittedModel } from './fitted-model.ts';

/**
 * Calls `ended` when TensorFlow.js leaves the `fit` or `fitDataset` that is going on, also by an exception, which no
 * callback is told of: the last thing that it does is to set `isTraining` to false.
 * @returns takes the watch away again
 */
export function whenFitEnds(model: FittedModel, ended: () => void): () => void {
  let isWatching = true;
  const stopWatching = (isTraining: boolean): void => {
    if (!isWatching) return;
    isWatching = false;
    const plain = { value: isTraining, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(model, 'isTraining', plain);
  };
  Object.defineProperty(model, 'isTraining', {
    get: () => true,
    set(isTraining: boolean) {
      stopWatching(isTraining);
      ended();
    },
    enumerable: true,
    configurable: true,
  });
  return () => stopWatching(true);
}
