// @ts-check
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFiles, workspaceFolders } from '../workspaces.mjs';
import { directionError, runtimeDependencies } from './repository.mjs';
import { LAYERS, claimedLayers, folderLayers, isBanned, layerAt } from './table.mjs';

/**
 * Folders that the workspace patterns name but npm, Nx and these rules would not see.
 * @param {string} root
 * @returns {string[]}
 */
export const strayFolderErrors = (root) =>
  workspaceFolders(root)
    .filter(
      (folder) =>
        !existsSync(join(root, folder, 'package.json')) && sourceFiles(join(root, folder)).length > 0,
    )
    .map((folder) => `${folder}: has files but no package.json, so nothing checks it`);

/** @param {import('./repository.mjs').Project} project */
function tagErrors({ folder, manifest, layer }) {
  if (layer !== undefined) return [];
  const known = Object.keys(LAYERS).map((name) => `layer:${name}`);
  const found = claimedLayers(manifest).map((name) => `layer:${name}`);
  const wanted = `needs exactly one layer tag in nx.tags of ${known.join(', ')}`;
  return [`${folder}/package.json: ${wanted}; has ${found.length === 0 ? 'none' : found.join(', ')}`];
}

/**
 * A folder with a layer of its own must exist, as a part of the sources, and name a layer that does.
 * @param {import('./repository.mjs').Project} project
 */
const folderErrors = ({ folder: at, manifest, files }) =>
  folderLayers(manifest)
    .filter(
      ({ folder, layer }) =>
        !Object.hasOwn(LAYERS, layer) ||
        !folder.startsWith('src/') ||
        !files.some(({ path }) => path.startsWith(`${folder}/`)),
    )
    .map(
      ({ folder, layer }) =>
        `${at}/package.json: the tag folder:${folder}=${layer} names no folder below src/ that has files, or no layer`,
    );

/**
 * Whether a runtime dependency points to an allowed layer or npm package. What only a folder of another layer may use
 * must be an optional peer, so that it is installed with nobody who does not want that folder.
 * @param {import('./repository.mjs').Repository} repository
 * @param {import('./repository.mjs').Project} project
 */
const dependencyErrors = (repository, project) =>
  Object.keys(runtimeDependencies(project.manifest)).flatMap((name) => {
    const { manifest } = project;
    const at = `${project.folder}/package.json: depends on ${name}, but`;
    const used = repository.byName.get(name);
    const layers = isOptionalPeer(manifest, name)
      ? [project.layer, ...folderLayers(manifest).map(({ folder }) => layerAt(manifest, `${folder}/`))]
      : [project.layer];
    const errors = layers.map((layer) => {
      const wrongWay = used && directionError(layer, used);
      if (wrongWay !== undefined) return `${at} ${wrongWay}`;
      if (used !== undefined || layer === undefined) return undefined;
      return isBanned(layer, name) ? `${at} layer ${layer.name} may not use it` : undefined;
    });
    const [first] = errors;
    return first === undefined || errors.includes(undefined) ? [] : [first];
  });

/**
 * @param {import('../workspaces.mjs').Manifest} manifest
 * @param {string} name
 */
const isOptionalPeer = (manifest, name) =>
  Object.hasOwn(manifest.peerDependencies ?? {}, name) &&
  manifest.peerDependenciesMeta?.[name]?.optional === true;

/**
 * One version for the whole repository: a range that a workspace does not satisfy makes npm look for it on the registry.
 * @param {import('./repository.mjs').Repository} repository
 * @param {import('./repository.mjs').Project} project
 */
function versionErrors(repository, { folder, manifest }) {
  const { version } = repository.manifest;
  const scopes = new Set(
    [...repository.byName.keys()].filter((name) => name.startsWith('@')).map((name) => name.split('/')[0]),
  );
  const dependencies = Object.entries({ ...manifest.devDependencies, ...runtimeDependencies(manifest) });
  return [
    ...(manifest.version === version
      ? []
      : [`${folder}/package.json: version is ${manifest.version}, the root's is ${version}`]),
    ...dependencies.flatMap(([name, range]) => {
      const used = repository.byName.get(name);
      if (used === undefined) {
        return scopes.has(name.split('/')[0])
          ? [`${folder}/package.json: ${name} is not a workspace of this repository`]
          : [];
      }
      const isExact = range === used.manifest.version;
      return isExact
        ? []
        : [`${folder}/package.json: wants ${name} ${range}, the workspace is ${used.manifest.version}`];
    }),
  ];
}

/**
 * Checks the package.json of a project.
 * @param {import('./repository.mjs').Repository} repository
 * @param {import('./repository.mjs').Project} project
 * @returns {string[]}
 */
export const manifestErrors = (repository, project) => [
  ...tagErrors(project),
  ...folderErrors(project),
  ...dependencyErrors(repository, project),
  ...versionErrors(repository, project),
];
