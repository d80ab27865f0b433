// @ts-check
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { directionError, packageOf, runtimeDependencies } from './repository.mjs';
import { isBanned, layerAt } from './table.mjs';

/**
 * One import with its surroundings.
 * @typedef {object} Site
 * @property {import('./repository.mjs').Repository} repository
 * @property {import('./repository.mjs').Project} project
 * @property {import('./repository.mjs').SourceFile} file
 * @property {string} specifier
 */

/**
 * Relative imports: shipped code stays in its own top folder (it is all that a consumer gets), the rest in its project.
 * The build recipes in tools/ are the one thing that tests and configuration share.
 * @param {Site} site
 */
function relativeError({ project, file, specifier }) {
  const target = posix.join(project.folder, posix.dirname(file.path), specifier);
  const isInside = (/** @type {string} */ folder) => target === folder || target.startsWith(`${folder}/`);
  if (!isInside(project.folder)) {
    return !file.isShipped && isInside('tools')
      ? undefined
      : 'leaves its project; import the package by its name';
  }
  if (target.split('/').includes('node_modules'))
    return 'reaches into node_modules; import the package by its name';
  const isUnshipped = file.path.startsWith('src/') && !isInside(`${project.folder}/src`);
  if (isUnshipped && target !== `${project.folder}/package.json`)
    return 'leaves src/ for a file that is not shipped';
  return file.isShipped ? folderError(project, file, target) : undefined;
}

/**
 * From one layer of a package into another.
 * @param {Site['project']} project
 * @param {Site['file']} file
 * @param {string} target From the root.
 */
function folderError(project, file, target) {
  const layer = layerAt(project.manifest, target.slice(project.folder.length + 1));
  if (!layer || !file.layer || layer.name === file.layer.name || file.layer.mayUse.includes(layer.name))
    return;
  return `is not allowed: a file of layer ${file.layer.name} may not use one of layer ${layer.name}`;
}

/** @param {Site} site */
function builtinError({ file }) {
  if (!file.isShipped || file.layer?.nodeBuiltins !== false) return undefined;
  return `is a Node built-in; layer ${file.layer.name} runs in a browser`;
}

/** @param {Site} site */
function shippedPackageError({ repository, project, file, specifier }) {
  const name = packageOf(specifier);
  if (name === project.manifest.name) return 'is this package itself; use a relative path';
  const used = repository.byName.get(name);
  const wrongWay = used && directionError(file.layer, used, specifier);
  if (wrongWay !== undefined) return `is not allowed: ${wrongWay}`;
  if (used === undefined && file.layer && isBanned(file.layer, name)) {
    return `is not allowed: layer ${file.layer.name} may not use the npm package ${name}`;
  }
  return Object.hasOwn(runtimeDependencies(project.manifest), name)
    ? undefined
    : `is not declared in ${project.folder}/package.json`;
}

/** @param {Site} site */
function supportPackageError({ repository, project, specifier }) {
  const name = packageOf(specifier);
  const { manifest } = project;
  const declared = {
    ...repository.manifest.devDependencies,
    ...manifest.devDependencies,
    ...runtimeDependencies(manifest),
  };
  if (repository.byName.has(name) || Object.hasOwn(declared, name)) return undefined;
  return `is declared neither in ${project.folder}/package.json nor in the root's devDependencies`;
}

/** @param {Site} site */
function siteError(site) {
  const { specifier } = site;
  if (/^\.\.?(\/|$)/.test(specifier)) return relativeError(site);
  if (/^[/#]|^(?!node:)[a-z]+:/i.test(specifier)) return 'is neither a relative path nor a package name';
  if (isBuiltin(specifier)) return builtinError(site);
  return site.file.isShipped ? shippedPackageError(site) : supportPackageError(site);
}

/**
 * A specifier that is computed at run time cannot be checked, so the layers that promise something must not have one.
 * @param {import('./repository.mjs').SourceFile} file
 */
const computedError = (file) =>
  file.isShipped && file.layer?.nodeBuiltins === false
    ? 'imports a module whose name is computed; write the name as a string'
    : undefined;

/**
 * Checks each import of each file of a project.
 * @param {import('./repository.mjs').Repository} repository
 * @param {import('./repository.mjs').Project} project
 * @returns {string[]} One line per violation: file, line, what, why.
 */
export const importErrors = (repository, project) =>
  project.files.flatMap((file) =>
    file.imports.flatMap(({ specifier, line }) => {
      const at = `${project.folder}/${file.path}:${line}:`;
      if (specifier === undefined) {
        const error = computedError(file);
        return error === undefined ? [] : [`${at} ${error}`];
      }
      const error = siteError({ repository, project, file, specifier });
      return error === undefined ? [] : [`${at} "${specifier}" ${error}`];
    }),
  );
