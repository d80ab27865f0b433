import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ending } from '../../tools/child-process.mjs';
import { layerOf } from '../../tools/layers/table.mjs';
import { byName, libraries, requireBuild } from '../support/repository.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import type { CodeBlock } from './code-blocks.ts';
import { allBlocks } from './documents.ts';
import { makeProject, runBlock, typeErrors } from './try-block.ts';

const MAX_PROCESSES = 2;
const rows = (blocks: readonly CodeBlock[]) =>
  blocks.map((block) => [`${block.path}:${block.line}`, block] as const);
const runnable = allBlocks.filter(({ isRun }) => isRun);

const project = makeFolder();
let errors: ReadonlyMap<CodeBlock, readonly string[]> = new Map();
const endings = new Map<CodeBlock, Ending>();

async function runInTurn(waiting: CodeBlock[]): Promise<void> {
  for (let block = waiting.shift(); block !== undefined; block = waiting.shift()) {
    endings.set(block, await runBlock(project, block));
  }
}

beforeAll(async () => {
  requireBuild();
  makeProject(project);
  errors = typeErrors(project, allBlocks);
  const waiting = [...runnable];
  await Promise.all(Array.from({ length: MAX_PROCESSES }, () => runInTurn(waiting)));
}, 600_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('each package README', () => {
  it.each(byName(libraries))('%s has an example that runs', (_name, { folder, manifest }) => {
    // The contract suites run inside vitest, not as a program.
    const promised = layerOf(manifest)?.name === 'test' ? allBlocks : runnable;
    expect(promised.map(({ path }) => path)).toContain(`${folder}/README.md`);
  });
});

describe('the example', () => {
  it.each(rows(allBlocks))('%s has no type error', (_at, block) => expect(errors.get(block)).toEqual([]));
  it.each(rows(runnable))('%s runs as printed', (_at, block) => {
    expect(endings.get(block)).toEqual({ exitCode: 0, output: expect.any(String) });
  });
});
