import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Real files for tests: BATCHWISE_DATA_DIR names a folder that holds `mnist` and, if wanted, `cifar10`. */
export const DATA_DIR = process.env['BATCHWISE_DATA_DIR'] ?? '';

export const MNIST_IS_MISSING = !existsSync(join(DATA_DIR, 'mnist', 'train-labels-idx1-ubyte.gz'));
export const CIFAR10_IS_MISSING = !existsSync(
  join(DATA_DIR, 'cifar10', 'cifar-10-batches-bin', 'test_batch.bin'),
);

/** Goes into the title of a test that needs `what`. */
export const skippedWithout = (what: string, missing: boolean): string =>
  missing ? ` (skipped: BATCHWISE_DATA_DIR has no ${what})` : '';
