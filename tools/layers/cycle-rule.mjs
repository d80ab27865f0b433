// @ts-check
import { packageOf, runtimeDependencies } from './repository.mjs';

/**
 * The workspaces a project needs, by declaration or by import. Imports of tests count: Nx builds what they name first.
 * @param {import('./repository.mjs').Repository} repository
 * @param {import('./repository.mjs').Project} project
 */
function neededWorkspaces({ byName }, { manifest, files }) {
  const declared = Object.keys({ ...manifest.devDependencies, ...runtimeDependencies(manifest) });
  const imported = files.flatMap((file) => file.imports.map(({ specifier = '' }) => packageOf(specifier)));
  return [...new Set([...declared, ...imported])]
    .filter((name) => name !== manifest.name && byName.has(name))
    .sort();
}

/**
 * Finds dependency cycles between workspaces.
 * @param {import('./repository.mjs').Repository} repository
 * @returns {string[]} One line per cycle.
 */
export function cycleErrors(repository) {
  const edges = new Map(
    repository.projects.map((project) => [project.manifest.name, neededWorkspaces(repository, project)]),
  );
  const finished = new Set();
  /** @type {string[]} */
  const errors = [];
  const visit = (/** @type {string} */ name, /** @type {string[]} */ path) => {
    if (path.includes(name)) {
      errors.push(`cycle: ${[...path.slice(path.indexOf(name)), name].join(' -> ')}`);
      return;
    }
    if (finished.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...path, name]);
    finished.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return errors;
}
