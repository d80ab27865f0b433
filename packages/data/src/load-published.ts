import { join } from 'node:path';
import { readCached } from './cache.ts';
import { DataError, reasonOf } from './data-error.ts';
import { loadDigits } from './digits-cache.ts';
import { downloadFile, type DownloadOptions } from './download.ts';
import type { NamedBytes } from './gzip.ts';
import type { ImageDataset } from './image-dataset.ts';
import type { PublishedDataset } from './published-dataset.ts';

/** Where a data set may be taken from. */
export interface LoadOptions extends Omit<DownloadOptions, 'mirrors'> {
  /** Folders on the web that hold the files, in place of the public ones. */
  readonly mirrors?: readonly string[] | undefined;
  /** The user's own copy: nothing else is tried. */
  readonly dataDir?: string | undefined;
  /** Where downloads are kept; `cacheDirectory()` where it is not given. */
  readonly cacheDir?: string | undefined;
  /** Ask no mirror. Default false. */
  readonly offline?: boolean | undefined;
}

/** A data set, and what a person should be told of it. */
export interface LoadedDataset {
  readonly dataset: ImageDataset;
  /** One line, there only when the built-in digits stand in for the data set that was asked for. */
  readonly notice?: string;
}

/** As `loadDataset`, for a data set that is published as files. */
export async function loadPublished(
  published: PublishedDataset,
  options: LoadOptions & { readonly cacheDir: string },
): Promise<LoadedDataset> {
  options.signal?.throwIfAborted();
  const { name, title } = published;
  if (options.dataDir !== undefined) {
    const splits = await published.fromDirectory(options.dataDir);
    return { dataset: { ...splits, name, classes: 10, source: options.dataDir } };
  }
  const obtained = await obtain(published, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    return { failure: reasonOf(error) };
  });
  if ('failure' in obtained)
    return {
      dataset: await loadDigits(options.cacheDir),
      notice:
        `${title} could not be had (${obtained.failure}); training on the built-in digits instead. ` +
        '--data-dir DIR uses your own copy.',
    };
  const splits = await published.fromContents(obtained.contents);
  return { dataset: { ...splits, name, classes: 10, source: obtained.source } };
}

interface Obtained {
  readonly contents: readonly NamedBytes[];
  readonly source: string;
}

/** All files with their sums checked, from the cache or, for those that it lacks, from the mirrors. */
async function obtain(
  { name, files, mirrors }: PublishedDataset,
  options: LoadOptions & { readonly cacheDir: string },
): Promise<Obtained> {
  const contents: NamedBytes[] = [];
  let source = 'cache';
  for (const file of files) {
    const path = join(options.cacheDir, name, file.name);
    const cached = await readCached(path, file);
    if (cached.found) {
      contents.push({ file: path, bytes: cached.content });
      continue;
    }
    if (options.offline === true)
      throw new DataError('missingFile', `offline, and in the cache ${cached.reason}`);
    const { content, host } = await downloadFile(file, path, {
      ...options,
      mirrors: options.mirrors ?? mirrors,
    });
    contents.push({ file: path, bytes: content });
    source = host;
  }
  return { contents, source };
}
