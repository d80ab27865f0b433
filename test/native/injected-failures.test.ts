import { describe } from 'vitest';
import { describeInjectedFailures } from '../integration/describe-injected-failures.ts';
import { nativeTensorflow, WHY_NO_NATIVE } from './native-tensorflow.ts';

describe.skipIf(WHY_NO_NATIVE)('on native TensorFlow', () => {
  describeInjectedFailures('native', {
    load: async () => (await nativeTensorflow()).tf,
    // Graphs are made anew in each, which takes seconds.
    trainings: 5,
    sameSums: 1e-6,
  });
});
