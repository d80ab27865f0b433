import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NX_ENVIRONMENT, installedCommand, run, type Command } from '../../tools/child-process.mjs';
import { RULE_SKIPPED } from '../../tools/test/rule-skipped.mjs';
import { readManifest, workspaces } from '../../tools/workspaces.mjs';
import { root } from '../support/repository.ts';
import { makeFolder, writeTree, type Tree } from '../support/temporary-folder.ts';
import { cleanTree } from './fixture.ts';

const REAL_FILES = [
  'eslint.config.js',
  'nx.json',
  'package-lock.json',
  'tools/layers/table.mjs',
  'tools/workspaces.mjs',
  'tsconfig.base.json',
];

const planted: Tree = {
  'packages/core/src/planted.ts': "import '@batchwise/sampler';\n",
  'packages/sampler/src/npm.ts': "import 'typescript';\n",
  'packages/sampler/src/node.ts': "import 'node:fs';\nimport { join } from 'path';\nexport const x = join;\n",
  'packages/sampler/src/relative.ts': "export * from '../../noise-scale/src/index.ts';\n",
  'packages/tuner/src/entry.ts': "import '@batchwise/probe/node';\n",
  'packages/probe/src/planted.ts': "import './node/index.ts';\nimport 'node:fs';\n",
  'packages/probe/src/node/planted.ts': "import '@batchwise/testing';\n",
  'packages/tuner/src/planted.ts': "export type { Tensor } from '@tensorflow/tfjs-core';\n",
  'packages/backend/src/planted.ts': "export const load = () => import('@batchwise/testing');\n",
  'packages/backend/src/entry.ts': "import '@batchwise/probe/node';\n",
};

const BOUNDARIES = '@nx/enforce-module-boundaries';
const violation = (ruleId: string, part: string) => ({ ruleId, message: expect.stringContaining(part) });

interface LintedFile {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string; readonly message: string }[];
}

const folder = makeFolder();
/** A state of its own: neither this repository's cache nor an Nx that started these tests may answer. */
const environment = {
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => name.startsWith('NX_'))
      .map((name) => [name, undefined]),
  ),
  ...NX_ENVIRONMENT,
  NX_WORKSPACE_DATA_DIRECTORY: join(folder, '.nx/workspace-data'),
  NX_CACHE_DIRECTORY: join(folder, '.nx/cache'),
};
const runHere = (command: Command, cwd = folder) => run(command, { cwd, env: environment });

/** Real node_modules except for the scope of the workspaces, which must lead to the copies. */
function linkModules(): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@batchwise'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@batchwise' && name !== '.nx')
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const { path, manifest } of workspaces(folder)) {
    if (manifest.name.startsWith('@')) symlinkSync(path, join(modules, manifest.name));
  }
}

async function lintAll(): Promise<{
  readonly exitCode: number;
  readonly files: Readonly<Record<string, LintedFile['messages']>>;
}> {
  const { exitCode, output } = await runHere(
    installedCommand(folder, { name: 'nx', args: ['run-many', '-t', 'lint', '--outputStyle=static'] }),
  );
  expect(output).not.toMatch(RULE_SKIPPED);
  const reports = workspaces(folder).flatMap(({ path }): readonly LintedFile[] => {
    const file = join(path, 'lint.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  });
  const found = reports.filter(({ messages }) => messages.length > 0);
  const files = Object.fromEntries(
    found.map(({ filePath, messages }) => [relative(folder, filePath), messages]),
  );
  return { exitCode, files };
}

beforeAll(() => {
  writeTree(folder, cleanTree);
  const { devDependencies } = readManifest(root);
  writeTree(folder, { 'package.json': { ...readManifest(folder), type: 'module', devDependencies } });
  for (const file of REAL_FILES) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  linkModules();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("this repository's lint rules on a small repository", () => {
  it('warn in the words that tools/test.mjs looks for when ESLint is started without Nx', async () => {
    const { exitCode, output } = await runHere(
      installedCommand(folder, { name: 'eslint', args: ['packages/tuner'] }),
    );
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringMatching(RULE_SKIPPED) });
  });

  it('pass the clean tree', async () => expect(await lintAll()).toEqual({ exitCode: 0, files: {} }));

  it('report each planted violation', async () => {
    writeTree(folder, planted);
    const { exitCode, files } = await lintAll();
    expect(exitCode).not.toBe(0);
    expect(files).toMatchObject({
      'packages/core/src/planted.ts': [violation(BOUNDARIES, '"layer:core" cannot depend on any libs')],
      'packages/sampler/src/npm.ts': [
        violation(BOUNDARIES, '"layer:pure" is not allowed to import "typescript"'),
      ],
      'packages/sampler/src/node.ts': [
        violation('no-restricted-imports', "'node:fs' import is restricted"),
        violation('no-restricted-imports', "'path' import is restricted"),
      ],
      'packages/sampler/src/relative.ts': [violation(BOUNDARIES, 'cannot be imported by a relative')],
      'packages/tuner/src/entry.ts': [
        violation(
          'no-restricted-imports',
          'A file of layer policy may not use one of another layer than policy, pure, core',
        ),
      ],
      'packages/probe/src/planted.ts': [
        violation('no-restricted-imports', 'A file of layer pure may not use one of another layer than pure'),
        violation('no-restricted-imports', "'node:fs' import is restricted"),
      ],
      'packages/probe/src/node/planted.ts': [
        violation(
          BOUNDARIES,
          '"layer:pure" can only depend on libs tagged with "layer:pure", "layer:core", "layer:policy"',
        ),
      ],
      'packages/backend/src/entry.ts': [
        violation('no-restricted-imports', 'A file of layer adapter may not use one of another layer'),
      ],
      'packages/tuner/src/planted.ts': [
        violation(BOUNDARIES, 'Transitive or unresolvable dependencies are not allowed'),
        violation(BOUNDARIES, '"layer:policy" is not allowed to import "@tensorflow/tfjs-core"'),
      ],
      'packages/backend/src/planted.ts': [violation(BOUNDARIES, '"layer:adapter" can only depend on libs')],
    });
    expect(Object.keys(files).sort()).toEqual(Object.keys(planted).sort());
  });
});
