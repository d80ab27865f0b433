import type { KnownFile } from './checksum.ts';
import type { NamedBytes } from './gzip.ts';
import type { DatasetName, ImageSplits } from './image-dataset.ts';

/** A data set that is published as files. */
export interface PublishedDataset {
  readonly name: Exclude<DatasetName, 'digits'>;
  /** As people write it. */
  readonly title: string;
  readonly files: readonly KnownFile[];
  /** Folders on the web that hold all `files`. */
  readonly mirrors: readonly string[];
  /** Makes the data set of the contents of `files`, in their order. */
  fromContents(contents: readonly NamedBytes[]): ImageSplits | Promise<ImageSplits>;
  /**
   * Reads a user's own copy.
   * @throws DataError `missingFile` with all that was looked for, `malformedFile`
   */
  fromDirectory(directory: string): Promise<ImageSplits>;
}
