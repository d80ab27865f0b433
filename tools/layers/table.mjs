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

/** The layer table in the form of Nx's `enforce-module-boundaries` rule. */
export const depConstraints = Object.entries(LAYERS).map(([layer, { mayUse, bannedNpm }]) => ({
  sourceTag: TAG + layer,
  onlyDependOnLibsWithTags: mayUse.map((used) => TAG + used),
  ...(bannedNpm.length > 0 && { bannedExternalImports: [...bannedNpm] }),
}));

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
  const layer = Object.hasOwn(LAYERS, name) ? LAYERS[name] : undefined;
  return layer === undefined || others.length > 0 ? undefined : { name, ...layer };
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
