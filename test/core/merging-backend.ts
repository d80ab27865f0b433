import type { Backend } from '@batchwise/core';
import { QuadraticBackend, type ScalarGradient } from '@batchwise/testing';

/** Merges two parts in one go. */
export class MergingBackend extends QuadraticBackend {
  merges = 0;
  merge: NonNullable<Backend<readonly number[], ScalarGradient>['merge']> = ([a, b], [ofA, ofB]) => {
    this.merges += 1;
    const products = [this.dot(a, a), this.dot(b, b), this.dot(a, b)];
    return {
      total: this.accumulate(this.accumulate(undefined, a, ofA), b, ofB),
      products: {
        read: () => Promise.all(products.map((product) => product.read())),
        dispose: () => products.forEach((product) => product.dispose()),
      },
    };
  };
}
