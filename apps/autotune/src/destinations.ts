import { access, constants, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { replaceFile, savedFiles } from './save-model.ts';
import type { TrainCommandOptions } from './train-options.ts';

/** A place to write to that cannot be written to. */
class DestinationError extends Error {
  readonly code = 'cannotWrite';
}

interface Destination {
  readonly option: string;
  /** What the option was given. */
  readonly given: string;
  readonly file: string;
}

/**
 * Makes sure, before hours of training, that their results can be written, each to a place of its own.
 * @param mayWrite - rejects where a path cannot be written to
 * @throws DestinationError with the option, the path and what to do
 */
export async function prepareDestinations(
  { json, trace, save }: Pick<TrainCommandOptions, 'json' | 'trace' | 'save'>,
  mayWrite: typeof access = access,
): Promise<void> {
  const records = [...destinations('--json', json), ...destinations('--trace', trace)];
  await refuseDirectories(records);
  await refuseShared([...records, ...destinations('--save', save, savedFiles)]);
  for (const record of records) await prepareFile(record, mayWrite);
  if (save !== undefined) await prepareDirectory('--save', resolve(save), mayWrite);
  // What was a free name may be the folder of another destination now.
  await refuseDirectories(records);
}

/** Writes a value as JSON; a reader sees the old file or the new one. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

function destinations(
  option: string,
  given: string | undefined,
  filesOf: (given: string) => readonly string[] = (file) => [file],
): readonly Destination[] {
  return given === undefined ? [] : filesOf(given).map((file) => ({ option, given, file }));
}

async function refuseDirectories(records: readonly Destination[]): Promise<void> {
  for (const { option, file } of records)
    if ((await stat(file).catch(() => undefined))?.isDirectory())
      throw new DestinationError(`${option} ${file} is a directory; give the name of a file.`);
}

/** Of two results in one file the earlier would be lost; a pipe or a device takes both. */
async function refuseShared(all: readonly Destination[]): Promise<void> {
  const writers = new Map<string, Destination>();
  for (const destination of all) {
    if (await isDevice(destination.file)) continue;
    const place = await placeOf(resolve(destination.file));
    const other = writers.get(place);
    if (other)
      throw new DestinationError(
        `${other.option} ${other.given} and ${destination.option} ${destination.given} would both write ${place}; ` +
          'give one of them another place.',
      );
    writers.set(place, destination);
  }
}

async function prepareFile({ option, file }: Destination, mayWrite: typeof access): Promise<void> {
  if (!(await isDevice(file))) {
    // The file that a link leads to is the one that is replaced.
    const target = await realpath(file).catch(() => resolve(file));
    return prepareDirectory(option, dirname(target), mayWrite);
  }
  try {
    await mayWrite(file, constants.W_OK);
  } catch (error) {
    throw new DestinationError(`${option} cannot write to ${file} (${reasonOf(error)}); give another place.`);
  }
}

async function prepareDirectory(option: string, directory: string, mayWrite: typeof access): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await mayWrite(directory, constants.W_OK);
  } catch (error) {
    throw new DestinationError(
      `${option} cannot write in ${directory} (${reasonOf(error)}); give another place.`,
    );
  }
}

/** Whether a path is there and neither a file nor a directory, so that it is written to as it is. */
async function isDevice(path: string): Promise<boolean> {
  const isThere = await stat(path).catch(() => undefined);
  return isThere !== undefined && !isThere.isFile() && !isThere.isDirectory();
}

/** An absolute path without links, though what it ends in may not be there yet. */
async function placeOf(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  const parent = dirname(path);
  return real ?? (parent === path ? path : join(await placeOf(parent), basename(path)));
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
