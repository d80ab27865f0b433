import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workspaces, type Workspace } from '../../tools/workspaces.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

/** All workspaces that npm would publish. */
export const publishable: readonly Workspace[] = workspaces(root).filter(
  ({ manifest }) => manifest.private !== true,
);

/** The publishable packages that are imported, as against started. */
export const libraries = publishable.filter(({ manifest }) => manifest.types !== undefined);

/** Rows for `describe.each`, titled by `%s`. */
export const byName = (
  members: readonly Workspace[],
): readonly (readonly [name: string, member: Workspace])[] =>
  members.map((member) => [member.manifest.name, member]);

/** Fails with advice when there is no build: these tests look at what a user would install. */
export function requireBuild(): void {
  const missing = publishable.filter(({ path }) => !existsSync(join(path, 'dist')));
  if (missing.length > 0) {
    const names = missing.map(({ folder }) => folder).join(', ');
    throw new Error(`Not built: ${names}. Run "node tools/bootstrap.mjs" first.`);
  }
}
