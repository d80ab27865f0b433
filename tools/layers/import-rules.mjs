// @ts-check
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { directionError, packageOf, runtimeDependencies } from './repository.mjs';
import { isBanned } from './table.mjs';

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
  return isUnshipped && target !== `${project.folder}/package.json`
    ? 'leaves src/ for a file that is not shipped'
    : undefined;
}

/** @param {Site} site */
function builtinError({ project, file }) {
  if (!file.isShipped || project.layer?.nodeBuiltins !== false) return undefined;
  return `is a Node built-in; layer ${project.layer.name} runs in a browser`;
}

/** @param {Site} site */
function shippedPackageError({ repository, project, specifier }) {
  const name = packageOf(specifier);
  if (name === project.manifest.name) return 'is this package itself; use a relative path';
  const used = repository.byName.get(name);
  const wrongWay = used && directionError(project, used);
  if (wrongWay !== undefined) return `is not allowed: ${wrongWay}`;
  if (used === undefined && project.layer && isBanned(project.layer, name)) {
    return `is not allowed: layer ${project.layer.name} may not use the npm package ${name}`;
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
 * @param {import('./repository.mjs').Project} project
 * @param {import('./repository.mjs').SourceFile} file
 */
const computedError = (project, file) =>
  file.isShipped && project.layer?.nodeBuiltins === false
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
        const error = computedError(project, file);
        return error === undefined ? [] : [`${at} ${error}`];
      }
      const error = siteError({ repository, project, file, specifier });
      return error === undefined ? [] : [`${at} "${specifier}" ${error}`];
    }),
  );
