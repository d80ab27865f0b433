// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest, sourceFiles, workspaces } from '../workspaces.mjs';
import { importsOf } from './import-scan.mjs';
import { entryOf, layerAt, layerOf } from './table.mjs';

/**
 * A source file with all that it imports.
 * @typedef {object} SourceFile
 * @property {string} path        Path from the workspace folder with forward slashes.
 * @property {boolean} isShipped  Published with the package; tests and build configuration are not.
 * @property {ReturnType<typeof layerAt>} layer
 * @property {readonly import('./import-scan.mjs').Import[]} imports
 *
 * A workspace as the layer rules see it.
 * @typedef {import('../workspaces.mjs').Workspace & {
 *   readonly layer: ReturnType<typeof layerOf>,
 *   readonly files: readonly SourceFile[],
 * }} Project
 *
 * Everything the rules look at, read once.
 * @typedef {object} Repository
 * @property {string} root
 * @property {import('../workspaces.mjs').Manifest} manifest  The root's.
 * @property {readonly Project[]} projects
 * @property {ReadonlyMap<string, Project>} byName
 */

const CODE = /\.[cm]?[jt]sx?$/;

/** @param {import('../workspaces.mjs').Manifest} manifest */
const shippedFolders = ({ files = [] }) =>
  new Set(['src', 'bin', ...files.map((path) => path.split('/')[0])]);

/**
 * @param {import('../workspaces.mjs').Workspace} workspace
 * @returns {Project}
 */
function readProject(workspace) {
  const shipped = shippedFolders(workspace.manifest);
  const paths = sourceFiles(workspace.path).filter((path) => CODE.test(path));
  return {
    ...workspace,
    layer: layerOf(workspace.manifest),
    files: paths.map((path) => ({
      path,
      layer: layerAt(workspace.manifest, path),
      isShipped: shipped.has(path.split('/', 1).join()),
      imports: importsOf(path, readFileSync(join(workspace.path, path), 'utf8')),
    })),
  };
}

/**
 * Reads each workspace and parses each of its source files.
 * @param {string} root
 * @returns {Repository}
 */
export function readRepository(root) {
  const projects = workspaces(root).map(readProject);
  const byName = new Map(projects.map((project) => [project.manifest.name, project]));
  return { root, manifest: readManifest(root), projects, byName };
}

/**
 * What a consumer of the package gets installed with it.
 * @param {import('../workspaces.mjs').Manifest} manifest
 * @returns {Readonly<Record<string, string>>} Version range by package name.
 */
export const runtimeDependencies = (manifest) => ({
  ...manifest.dependencies,
  ...manifest.optionalDependencies,
  ...manifest.peerDependencies,
});

/**
 * The package that a bare specifier such as `@scope/name/deep` belongs to.
 * @param {string} specifier
 */
export const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/**
 * Why a layer may not use a package, or a way into it, if so; undeclared tags are reported elsewhere.
 * @param {SourceFile['layer']} layer
 * @param {Project} used
 * @param {string} [specifier] What is imported; by default the package as a whole.
 * @returns {string | undefined}
 */
export function directionError(layer, used, specifier = used.manifest.name) {
  const entry = entryOf(used.manifest, specifier.replace(used.manifest.name, '.'));
  const usedLayer = layerAt(used.manifest, entry);
  if (layer === undefined || usedLayer === undefined) return undefined;
  const { name, mayUse } = layer;
  if (mayUse.includes(usedLayer.name)) return undefined;
  const allowed = mayUse.length === 0 ? 'nothing' : `only ${mayUse.join(', ')}`;
  return `layer ${name} may use ${allowed}, and ${specifier} is ${usedLayer.name}`;
}
