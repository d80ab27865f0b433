import { join } from 'node:path';
import { npmCommand, run } from '../../tools/child-process.mjs';
import type { Workspace } from '../../tools/workspaces.mjs';
import { root } from './repository.ts';

/** What npm calls the tarball of a package. */
const tarballName = ({ manifest }: Workspace): string =>
  `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;

/**
 * Packs workspaces as `npm publish` would, without sending them anywhere.
 * @returns The tarball's path by package name.
 */
export async function pack(
  members: readonly Workspace[],
  destination: string,
): Promise<ReadonlyMap<string, string>> {
  const selected = members.flatMap(({ folder }) => ['--workspace', folder]);
  const args = [
    'pack',
    '--ignore-scripts',
    '--loglevel=error',
    '--pack-destination',
    destination,
    ...selected,
  ];
  const { exitCode, output } = await run(npmCommand(args), { cwd: root });
  if (exitCode !== 0) throw new Error(`npm pack failed:\n${output}`);
  return new Map(members.map((member) => [member.manifest.name, join(destination, tarballName(member))]));
}
