import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Extract } from 'tar-stream';
import { CIFAR10_TEST_FILE, CIFAR10_TRAIN_FILES } from './cifar10.ts';
import { DataError, reasonOf } from './data-error.ts';
import type { NamedBytes } from './gzip.ts';

/**
 * The batch files out of `cifar-10-binary.tar.gz`, in the order training 1 to 5, test.
 * @throws DataError `malformedFile` when the archive is damaged, `missingFile` when it lacks some of the files
 */
export async function unpackCifar10({ file, bytes }: NamedBytes): Promise<readonly NamedBytes[]> {
  const wanted = [...CIFAR10_TRAIN_FILES, CIFAR10_TEST_FILE];
  const archive = extract();
  let contents: ReadonlyMap<string, Uint8Array>;
  try {
    const source = pipeline(Readable.from([bytes]), createGunzip(), archive);
    [contents] = await Promise.all([collect(archive, wanted), source]);
  } catch (cause) {
    throw new DataError('malformedFile', `${file}: the archive is damaged (${reasonOf(cause)}).`, {
      hint: 'Fetch the file again.',
      cause,
    });
  }
  const missing = wanted.filter((name) => !contents.has(name));
  if (missing.length > 0)
    throw new DataError('missingFile', `${file}: the archive lacks ${missing.join(', ')}.`, {
      hint: 'Use cifar-10-binary.tar.gz, the binary version of CIFAR-10.',
    });
  return wanted.flatMap((name) => {
    const content = contents.get(name);
    return content === undefined ? [] : [{ file: `${file}: ${name}`, bytes: content }];
  });
}

/** Contents by file name, whatever the folder. An entry has to be read to its end even if nobody wants it. */
async function collect(
  archive: Extract,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for await (const entry of archive) {
    const content = await buffer(entry);
    const name = entry.header.name.split('/').at(-1) ?? '';
    if (wanted.includes(name)) contents.set(name, content);
  }
  return contents;
}
