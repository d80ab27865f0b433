// @ts-check
import { cpSync, existsSync } from 'node:fs';
import { basename, join, posix, relative } from 'node:path';
import { readManifest, workspaces } from '../workspaces.mjs';

/** What the check runs, each with all that it needs; vitest is there for the contract suite. */
export const PACKED = ['batchwise', '@batchwise/testing', 'vitest', 'webgpu'];

/**
 * Places that Node looks for a package in, the nearest first.
 * @param {string} from  A package's folder from the root, such as `node_modules/a/node_modules/b`; empty: the root.
 */
function lookups(from) {
  const owners = from === '' ? [] : from.split('/node_modules/');
  const nested = owners.map((_, i) => `${owners.slice(0, i + 1).join('/node_modules/')}/node_modules`);
  return ['node_modules', ...nested].reverse();
}

/**
 * The folders of packages and of all that they need to run, from the root.
 * @param {string} root
 * @param {readonly string[]} names
 * @returns {readonly string[]} Paths below node_modules with forward slashes, sorted.
 */
export function neededPackages(root, names) {
  /** @type {Set<string>} */
  const found = new Set();
  /** @param {string} name @param {string} from @param {boolean} isOptional */
  const visit = (name, from, isOptional) => {
    const places = lookups(from).map((place) => posix.join(place, name));
    const place = places.find((candidate) => existsSync(join(root, candidate, 'package.json')));
    if (place === undefined) {
      if (isOptional) return;
      throw new Error(`${name} is not installed: run "node tools/bootstrap.mjs" first.`);
    }
    if (found.has(place)) return;
    found.add(place);
    const { dependencies, optionalDependencies, peerDependencies } = readManifest(join(root, place));
    const optional = { ...peerDependencies, ...optionalDependencies };
    // npm repeats optional dependencies among the others.
    for (const need of Object.keys({ ...dependencies, ...optional })) visit(need, place, need in optional);
  };
  for (const name of names) visit(name, '', false);
  return [...found].sort();
}

const NOT_RUN = /\.(map|md|markdown|d\.[cm]?ts|ts|tsbuildinfo)$/;
/** Builds of a package for one platform, as `webgpu` has them. */
const PLATFORM_FOLDER = /^(darwin|linux|win32)-(x64|arm64|ia32|universal)$/;

/**
 * Copies packages as they run: no declarations, source maps or builds for other platforms, of a workspace what npm would
 * publish of its build.
 * @param {string} root
 * @param {readonly string[]} places As {@link neededPackages} gives them.
 * @param {string} target
 */
export function copyPackages(root, places, target) {
  const members = new Map(workspaces(root).map((member) => [`node_modules/${member.manifest.name}`, member]));
  const own = `${process.platform}-${process.arch}`;
  /** @param {string} path */
  const isRun = (path) =>
    !NOT_RUN.test(path) && !(PLATFORM_FOLDER.test(basename(path)) && basename(path) !== own);
  for (const place of places) {
    const member = members.get(place);
    const from = member?.path ?? join(root, place);
    const names = member?.manifest.files?.filter((name) => name !== 'src');
    if (names && !names.every((name) => existsSync(join(from, name))))
      throw new Error(`${member?.folder} is not built: run "node tools/bootstrap.mjs" first.`);
    cpSync(from, join(target, place), {
      recursive: true,
      filter: (path) => {
        const inside = relative(from, path);
        if (inside === '') return true;
        const [top = ''] = inside.split(/[\\/]/);
        const isPart =
          names === undefined ? top !== 'node_modules' : [...names, 'package.json'].includes(top);
        return isPart && isRun(path);
      },
    });
  }
}
