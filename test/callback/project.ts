import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npmCommand, run } from '../../tools/child-process.mjs';
import type { Workspace } from '../../tools/workspaces.mjs';
import { pack } from '../support/packed.ts';
import { libraries, root } from '../support/repository.ts';
import { writeTree } from '../support/temporary-folder.ts';

/** A package with the workspaces it needs, and theirs. */
function withNeeds(name: string): readonly Workspace[] {
  const member = libraries.find(({ manifest }) => manifest.name === name);
  if (!member) return [];
  return [...new Set([member, ...Object.keys(member.manifest.dependencies ?? {}).flatMap(withNeeds)])];
}

/** An empty project with @batchwise/callback from its tarball, and TensorFlow.js at `tensorflow` (a scope's folder). */
export async function makeProject(
  folder: string,
  tensorflow = join(root, 'node_modules/@tensorflow'),
): Promise<void> {
  const tarballs = await pack(withNeeds('@batchwise/callback'), folder);
  writeTree(folder, { 'package.json': { private: true } });
  const flags = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
  const install = npmCommand(['install', ...flags, '--loglevel=error', ...tarballs.values()]);
  const { exitCode, output } = await run(install, { cwd: folder });
  if (exitCode !== 0) throw new Error(`npm install failed:\n${output}`);
  const scope = join(folder, 'node_modules/@tensorflow');
  mkdirSync(dirname(scope), { recursive: true });
  symlinkSync(tensorflow, scope);
}
