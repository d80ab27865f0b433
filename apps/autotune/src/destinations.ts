import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { replaceFile } from './save-model.ts';
import type { TrainCommandOptions } from './train-options.ts';

/** A place to write to that cannot be written to. */
class DestinationError extends Error {
  readonly code = 'cannotWrite';
}

/**
 * Makes sure, before hours of training, that their results can be written.
 * @throws DestinationError with the option, the path and what to do
 */
export async function prepareDestinations({
  json,
  trace,
  save,
}: Pick<TrainCommandOptions, 'json' | 'trace' | 'save'>): Promise<void> {
  for (const [option, file] of Object.entries({ '--json': json, '--trace': trace })) {
    if (file === undefined) continue;
    if (await isDirectory(file))
      throw new DestinationError(`${option} ${file} is a directory; give the name of a file.`);
    await prepareDirectory(option, dirname(resolve(file)));
  }
  if (save !== undefined) await prepareDirectory('--save', resolve(save));
}

/** Writes a value as JSON; a reader sees the old file or the new one. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function prepareDirectory(option: string, directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DestinationError(`${option} cannot write in ${directory} (${why}); give another place.`);
  }
}
