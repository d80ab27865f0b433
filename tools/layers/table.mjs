// @ts-check

/**
 * What the shipped files of a layer may import. The picture is in docs/architecture.md.
 * @typedef {object} Layer
 * @property {readonly string[]} mayUse       Layers whose packages it may import, types included.
 * @property {readonly string[]} bannedNpm    npm packages it may not import; `*` stands for any text.
 * @property {boolean} nodeBuiltins           Whether it may import Node's own modules. Layers without them run in a browser.
 */

/**
 * The layer table, written once: eslint.config.js turns it into Nx's boundary rule, check-layers.mjs reads it as it is.
 * @type {Readonly<Record<string, Layer>>}
 */
export const LAYERS = {
  pure: { mayUse: ['pure'], bannedNpm: ['*'], nodeBuiltins: false },
  core: { mayUse: [], bannedNpm: ['*'], nodeBuiltins: false },
  policy: { mayUse: ['pure', 'core', 'policy'], bannedNpm: ['@tensorflow/*'], nodeBuiltins: false },
  adapter: { mayUse: ['pure', 'core', 'policy'], bannedNpm: [], nodeBuiltins: true },
  integration: {
    mayUse: ['pure', 'core', 'policy', 'adapter', 'integration'],
    bannedNpm: [],
    nodeBuiltins: false,
  },
  app: {
    mayUse: ['pure', 'core', 'policy', 'adapter', 'integration', 'app'],
    bannedNpm: [],
    nodeBuiltins: true,
  },
  test: {
    mayUse: ['pure', 'core', 'policy', 'adapter', 'integration', 'app', 'test'],
    bannedNpm: [],
    nodeBuiltins: true,
  },
};

const TAG = 'layer:';
const FOLDER_TAG = 'folder:';

/**
 * The layer table in the form of Nx's `enforce-module-boundaries` rule. Nx knows the layers of packages only: for a
 * folder of another layer the package's own constraint is replaced by that of the folder.
 * @param {Readonly<Record<string, string>>} [replaced] Layer to take the constraint from, by layer of the package.
 */
export const depConstraints = (replaced = {}) =>
  Object.keys(LAYERS).map((layer) => {
    const { mayUse, bannedNpm } = LAYERS[replaced[layer] ?? layer] ?? { mayUse: [], bannedNpm: ['*'] };
    return {
      sourceTag: TAG + layer,
      onlyDependOnLibsWithTags: mayUse.map((used) => TAG + used),
      ...(bannedNpm.length > 0 && { bannedExternalImports: [...bannedNpm] }),
    };
  });

/**
 * The layers a package claims by its `nx.tags`; a healthy package claims exactly one.
 * @param {import('../workspaces.mjs').Manifest} manifest
 * @returns {string[]}
 */
export const claimedLayers = (manifest) =>
  (manifest.nx?.tags ?? []).filter((tag) => tag.startsWith(TAG)).map((tag) => tag.slice(TAG.length));

/**
 * The layer of a package, when its tags name exactly one that exists.
 * @param {import('../workspaces.mjs').Manifest} manifest
 * @returns {(Layer & { readonly name: string }) | undefined}
 */
export function layerOf(manifest) {
  const [name = '', ...others] = claimedLayers(manifest);
  return others.length > 0 ? undefined : layerNamed(name);
}

/** @param {string} name */
function layerNamed(name) {
  const layer = Object.hasOwn(LAYERS, name) ? LAYERS[name] : undefined;
  return layer && { name, ...layer };
}

/**
 * Folders of a package that are of another layer than the package, by a tag such as `folder:src/node=adapter`: a way in
 * of its own, for which nobody has to install anything who does not take it.
 * @param {import('../workspaces.mjs').Manifest} manifest
 * @returns {{ readonly folder: string, readonly layer: string }[]}
 */
export const folderLayers = (manifest) =>
  (manifest.nx?.tags ?? [])
    .filter((tag) => tag.startsWith(FOLDER_TAG))
    .map((tag) => {
      const [folder = '', layer = ''] = tag.slice(FOLDER_TAG.length).split('=');
      return { folder, layer };
    });

/**
 * The layer of one file: that of its folder where the folder has one, else that of its package.
 * @param {import('../workspaces.mjs').Manifest} manifest
 * @param {string} path From the package's folder.
 */
export function layerAt(manifest, path) {
  const own = folderLayers(manifest).find(({ folder }) => path.startsWith(`${folder}/`));
  return own ? layerNamed(own.layer) : layerOf(manifest);
}

/**
 * The file that a way into a package leads to, as a path from the package's folder.
 * @param {import('../workspaces.mjs').Manifest} manifest
 * @param {string} subpath A key of `exports`.
 */
export function entryOf(manifest, subpath) {
  const target = manifest.exports?.[subpath];
  const entry =
    typeof target === 'object' && target !== null && '@batchwise/source' in target
      ? target['@batchwise/source']
      : target;
  return typeof entry === 'string' ? entry.replace(/^\.\//, '') : '';
}

/**
 * Whether a layer is kept from an npm package.
 * @param {Layer} layer
 * @param {string} npmPackage
 */
export const isBanned = (layer, npmPackage) =>
  layer.bannedNpm.some((pattern) =>
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(npmPackage),
  );
