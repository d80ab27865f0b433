export { cacheDirectory, type Surroundings } from './cache.ts';
export { readCifar10Batches } from './cifar10.ts';
export { DataError, type DataErrorCode } from './data-error.ts';
export { builtInDigits, type DigitsOptions } from './digits/built-in-digits.ts';
export type { DownloadProgress } from './download.ts';
export type { DownloadTimeouts } from './fetch-file.ts';
export type { NamedBytes } from './gzip.ts';
export { readIdx, writeIdx, type IdxArray } from './idx.ts';
export {
  splitValidation,
  type DatasetName,
  type ImageDataset,
  type ImageShape,
  type ImageSplits,
  type LabelledImages,
  type SplitDataset,
} from './image-dataset.ts';
export {
  imageSource,
  type ArrayBatch,
  type ArrayTensor,
  type ImageSource,
  type ImageSourceOptions,
} from './image-source.ts';
export { loadDataset } from './load-dataset.ts';
export type { LoadedDataset, LoadOptions } from './load-published.ts';
export { readMnist, type MnistParts } from './mnist.ts';
export { readCifar10Directory } from './published-cifar10.ts';
export { readMnistDirectory } from './published-mnist.ts';
