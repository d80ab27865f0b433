import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from './data-error.ts';
import type { NamedBytes } from './gzip.ts';

/** A set of files that lie together in one of several folders. */
export interface FileSearch {
  readonly folders: readonly string[];
  /** For each file the names that it may have. */
  readonly wanted: readonly (readonly string[])[];
}

/** The paths in the order of `wanted`, or in words what is missing and where. */
export type FileFindings = { readonly paths: readonly string[] } | { readonly missing: string };

/**
 * Looks for the first folder that has all files. A folder that has only some of them is named in the answer: it was
 * meant.
 */
export async function findFiles({ folders, wanted }: FileSearch): Promise<FileFindings> {
  const unreadable: string[] = [];
  let incomplete: string | undefined;
  for (const folder of folders) {
    const names = await readdir(folder).catch((error: unknown): string[] => {
      unreadable.push(reasonOf(error));
      return [];
    });
    const chosen = wanted.map((alternatives) => alternatives.find((name) => names.includes(name)));
    const paths = chosen.flatMap((name) => (name === undefined ? [] : [join(folder, name)]));
    if (paths.length === wanted.length) return { paths };
    const lacking = wanted.filter((_, file) => chosen[file] === undefined).map(oneOf);
    if (paths.length > 0) incomplete ??= `${folder} lacks ${lacking.join(', ')}`;
  }
  const nowhere = `none of ${wanted.map(oneOf).join(', ')} is in ${folders.join(' or ')}`;
  const because = unreadable.length === folders.length ? ` (${unreadable[0]})` : '';
  return { missing: incomplete ?? `${nowhere}${because}` };
}

const oneOf = (alternatives: readonly string[]): string => alternatives.join(' / ');

/** Reads files, each named by its path. */
export async function readAll(paths: readonly string[]): Promise<NamedBytes[]> {
  const files: NamedBytes[] = [];
  for (const file of paths) files.push({ file, bytes: await readFile(file) });
  return files;
}
