// @ts-check
import { fileURLToPath } from 'node:url';
import { isMain } from './is-main.mjs';
import { cycleErrors } from './layers/cycle-rule.mjs';
import { importErrors } from './layers/import-rules.mjs';
import { manifestErrors, strayFolderErrors } from './layers/manifest-rules.mjs';
import { readRepository } from './layers/repository.mjs';

/**
 * The layer check that cannot be skipped: Nx's lint rule passes when it finds no project graph, and it does not see
 * Node built-ins or packages that only the root declares. It needs no build and no cache.
 * @param {string} root Folder of the root package.json.
 * @returns {string[]} One line per violation; empty when the layers hold.
 */
export function checkLayers(root) {
  const repository = readRepository(root);
  if (repository.projects.length === 0) return [`${root}: has no workspaces, so nothing was checked`];
  return [
    ...strayFolderErrors(root),
    ...repository.projects.flatMap((project) => [
      ...manifestErrors(repository, project),
      ...importErrors(repository, project),
    ]),
    ...cycleErrors(repository),
  ];
}

if (isMain(import.meta.url)) {
  const errors = checkLayers(fileURLToPath(new URL('..', import.meta.url)));
  for (const error of errors) console.error(error);
  console.log(errors.length === 0 ? 'The layers hold.' : `${errors.length} layer violations.`);
  if (errors.length > 0) process.exitCode = 1;
}
