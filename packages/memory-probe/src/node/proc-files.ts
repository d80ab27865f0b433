import { readFile } from 'node:fs/promises';

/** Reads a text file; undefined where it is not there, or not to be read. Tests hand in another. */
export type ReadText = (path: string) => Promise<string | undefined>;

export const readText: ReadText = (path) => readFile(path, 'utf8').catch(() => undefined);

/** `name value` or `name: value` lines as a map. */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const [, name, value] = /^(\S+?):?\s+(.*\S)\s*$/.exec(line) ?? [];
    return name !== undefined && value !== undefined ? [[name, value] as const] : [];
  });
  return new Map(pairs);
}

/** `12 kB` in bytes; null for anything else. */
export function kilobytes(value: string | undefined): number | null {
  const [, count] = /^(\d+) kB$/.exec(value ?? '') ?? [];
  return count === undefined ? null : 1024 * Number(count);
}

/** A whole number of bytes; null for `max`, `unlimited` and the like. */
export const bytesIn = (value: string | undefined): number | null =>
  value !== undefined && /^\d+$/.test(value.trim()) ? Number(value) : null;
