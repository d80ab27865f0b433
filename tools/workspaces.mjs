// @ts-check
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The fields of a package.json that the tools read.
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {string} [types]
 * @property {readonly string[]} [workspaces]
 * @property {readonly string[]} [files]
 * @property {Readonly<Record<string, unknown>>} [exports]
 * @property {Readonly<Record<string, string>>} [bin]
 * @property {Readonly<Record<string, string>>} [scripts]
 * @property {{ readonly tags?: readonly string[] }} [nx]
 * @property {Readonly<Record<string, string>>} [dependencies]
 * @property {Readonly<Record<string, string>>} [devDependencies]
 * @property {Readonly<Record<string, string>>} [peerDependencies]
 * @property {Readonly<Record<string, { readonly optional?: boolean }>>} [peerDependenciesMeta]
 * @property {Readonly<Record<string, string>>} [optionalDependencies]
 *
 * One npm workspace of this repository.
 * @typedef {object} Workspace
 * @property {string} folder  Path from the root with forward slashes, for example `packages/core`.
 * @property {string} path    The same folder as an absolute path.
 * @property {Manifest} manifest
 */

/**
 * Reads a package.json.
 * @param {string} folder The folder that holds it.
 * @returns {Manifest}
 */
export const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/**
 * The folders that the root's `workspaces` patterns can name (`some/folder` or `some/*`), with a package.json or not.
 * @param {string} root
 * @returns {string[]} Paths from the root, sorted within a pattern; patterns without a folder are skipped.
 */
export function workspaceFolders(root) {
  const patterns = readManifest(root).workspaces ?? [];
  return patterns.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return existsSync(join(root, pattern)) ? [pattern] : [];
    const parent = pattern.slice(0, -2);
    if (!existsSync(join(root, parent))) return [];
    const children = readdirSync(join(root, parent), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    return children.map((entry) => `${parent}/${entry.name}`).sort();
  });
}

/**
 * All npm workspaces, found on disk so that a new package needs no list to be edited.
 * @param {string} root
 * @returns {Workspace[]}
 */
export function workspaces(root) {
  return workspaceFolders(root)
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, path: join(root, folder), manifest: readManifest(join(root, folder)) }));
}

const GENERATED = new Set(['.git', 'node_modules', 'dist', '.tsc', '.nx', 'coverage']);

/**
 * All files below a folder that a person wrote: no dependencies and no build output.
 * @param {string} folder Absolute path.
 * @param {string} [below] Path from `folder` of the part to list.
 * @returns {string[]} Paths from `folder` with forward slashes, sorted.
 */
export function sourceFiles(folder, below = '') {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) return GENERATED.has(entry.name) ? [] : sourceFiles(folder, path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}
