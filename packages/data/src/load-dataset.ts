import { cacheDirectory } from './cache.ts';
import { loadDigits } from './digits-cache.ts';
import type { DatasetName } from './image-dataset.ts';
import { loadPublished, type LoadedDataset, type LoadOptions } from './load-published.ts';
import { publishedCifar10 } from './published-cifar10.ts';
import { publishedMnist } from './published-mnist.ts';

const PUBLISHED = { mnist: publishedMnist, cifar10: publishedCifar10 };

/**
 * A data set by its name: from `dataDir` where one is given; else from the cache; else from the public mirrors, checked
 * and then cached; and where none of these can be had, the built-in digits with a notice that says why.
 *
 * @throws RangeError for another name, or a `dataDir` for the digits, which are drawn
 * @throws DataError `missingFile` or `malformedFile` when `dataDir` does not hold the data set: it is never replaced
 * @throws the reason of `signal` when it is aborted
 */
export async function loadDataset(name: DatasetName, options: LoadOptions = {}): Promise<LoadedDataset> {
  const cacheDir = options.cacheDir ?? cacheDirectory();
  if (name === 'mnist' || name === 'cifar10') return loadPublished(PUBLISHED[name], { ...options, cacheDir });
  if (name !== 'digits')
    throw new RangeError(`There is no data set "${String(name)}"; give mnist, cifar10 or digits.`);
  if (options.dataDir !== undefined)
    throw new RangeError(
      `The built-in digits are drawn, not read from ${options.dataDir}; leave the data directory out, ` +
        'or ask for mnist to read your own images in its form.',
    );
  options.signal?.throwIfAborted();
  return { dataset: await loadDigits(cacheDir) };
}
