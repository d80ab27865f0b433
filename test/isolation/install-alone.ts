import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { npmCommand, run } from '../../tools/child-process.mjs';
import { isBanned, layerOf } from '../../tools/layers/table.mjs';
import type { Workspace } from '../../tools/workspaces.mjs';
import { pack } from '../support/packed.ts';
import { libraries } from '../support/repository.ts';
import { writeTree } from '../support/temporary-folder.ts';

/** The packages that run without Node and without TensorFlow.js. */
export const alone = libraries.filter(({ manifest }) => {
  const layer = layerOf(manifest);
  return layer !== undefined && isBanned(layer, '@tensorflow/tfjs-core');
});

/** A package with the workspaces it needs, and theirs. */
function withNeeds(member: Workspace): readonly Workspace[] {
  const needs = Object.keys(member.manifest.dependencies ?? {});
  const direct = alone.filter(({ manifest }) => needs.includes(manifest.name));
  return [...new Set([member, ...direct.flatMap(withNeeds)])];
}

/** Runs a program that must succeed, and gives what it printed. */
export async function runOk(command: ReturnType<typeof npmCommand>, cwd: string): Promise<string> {
  const { exitCode, output } = await run(command, { cwd });
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  return output;
}

/**
 * Packs workspaces and installs them in an empty folder, without a registry to turn to.
 * @param flags more of them for npm
 */
export async function installPacked(
  members: readonly Workspace[],
  folder: string,
  flags: readonly string[] = [],
): Promise<void> {
  const tarballs = await pack(members, folder);
  writeTree(folder, { 'package.json': { private: true } });
  const all = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...flags];
  await runOk(npmCommand(['install', ...all, ...tarballs.values()]), folder);
}

/**
 * Packs a package and installs it in an empty folder, without a registry to turn to.
 * @returns The names of all packages that are there then: itself and the workspaces it needs.
 */
export async function installAlone(member: Workspace, folder: string): Promise<readonly string[]> {
  const members = withNeeds(member);
  await installPacked(members, folder);

  const names = members.map(({ manifest }) => manifest.name).sort();
  const installed = join(folder, 'node_modules');
  expect(existsSync(join(installed, '@tensorflow'))).toBe(false);
  expect(readdirSync(installed).filter((entry) => !entry.startsWith('.'))).toEqual(['@batchwise']);
  expect(
    readdirSync(join(installed, '@batchwise'))
      .map((entry) => `@batchwise/${entry}`)
      .sort(),
  ).toEqual(names);
  return names;
}
