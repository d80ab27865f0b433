import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

/** The parts of an installed TensorFlow that the addon is built from. */
export interface TensorflowParts {
  readonly libraries: string;
  readonly headers: string;
}

/**
 * Finds TensorFlow's libraries and C headers in a folder: the package of a Python (`site-packages/tensorflow`, or the
 * `site-packages` around it), or the C archive, with `lib` and `include`.
 * @throws Error with what was looked for
 */
export async function findTensorflow(directory: string): Promise<TensorflowParts> {
  for (const root of [directory, join(directory, 'tensorflow')]) {
    const headers = join(root, 'include');
    if (!existsSync(join(headers, 'tensorflow', 'c', 'c_api.h'))) continue;
    for (const libraries of [root, join(root, 'lib')])
      if (library(await filesOf(libraries), LIBRARY)) return { libraries, headers };
  }
  throw new Error(
    `${directory} holds no TensorFlow: looked for include/tensorflow/c/c_api.h and libtensorflow.so ` +
      'or libtensorflow_cc.so.2, there, in lib and in tensorflow.',
  );
}

/** The library with the C interface: wheels call it `_cc`. */
const LIBRARY = /^libtensorflow(_cc)?\.so(\.\d+)*$/;
const FRAMEWORK = /^libtensorflow_framework\.so(\.\d+)*$/;

const filesOf = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** The shortest of the names that match: of links to one library, the one that others are linked against. */
const library = (names: readonly string[], pattern: RegExp): string | undefined =>
  names.filter((name) => pattern.test(name)).sort((a, b) => a.length - b.length)[0];

/**
 * Puts links to a TensorFlow where the package builds and loads from: `deps/include`, `deps/lib`, and NVIDIA's libraries
 * in `deps/nvidia`, where TensorFlow looks for them from its own place (`$ORIGIN/../nvidia`).
 * @param isRelative links that go on holding when the folder around both is moved
 */
export async function linkTensorflow(
  packageFolder: string,
  directory: string,
  isRelative: boolean,
): Promise<void> {
  const { libraries, headers } = await findTensorflow(resolve(directory));
  const deps = join(packageFolder, 'deps');
  const link = (target: string, path: string): Promise<void> =>
    symlink(isRelative ? relative(dirname(path), target) : target, path);
  await mkdir(join(deps, 'lib'), { recursive: true });
  await link(headers, join(deps, 'include'));
  const names = (await filesOf(libraries)).filter((name) => LIBRARY.test(name) || FRAMEWORK.test(name));
  for (const name of names) await link(join(libraries, name), join(deps, 'lib', name));
  // The names that the linker asks for.
  for (const [wanted, pattern] of [
    ['libtensorflow.so', LIBRARY],
    ['libtensorflow_framework.so', FRAMEWORK],
  ] as const) {
    const found = library(names, pattern);
    if (found === undefined) throw new Error(`${libraries} has no ${wanted}.`);
    if (!names.includes(wanted)) await symlink(found, join(deps, 'lib', wanted));
  }
  const nvidia = join(dirname(libraries), 'nvidia');
  if (existsSync(nvidia)) await link(nvidia, join(deps, 'nvidia'));
}
