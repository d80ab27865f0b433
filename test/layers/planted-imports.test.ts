import { describe, expect, it } from 'vitest';
import { cleanTree, violations, withFile } from './fixture.ts';

const CORE = 'packages/core/src/planted.ts';
const SAMPLER = 'packages/sampler/src/planted.ts';
const TUNER = 'packages/tuner/src/planted.ts';
const PROBE = 'packages/probe/src/planted.ts';
const BACKEND = 'packages/backend/src/planted.ts';
const CALLBACK = 'packages/callback/src/planted.ts';

it('finds nothing in the clean tree', () => expect(violations(cleanTree)).toEqual([]));

describe('a planted import is reported with file, line and reason', () => {
  const planted: readonly (readonly [what: string, path: string, text: string, expected: string])[] = [
    [
      'core -> pure',
      CORE,
      "import '@batchwise/sampler';",
      `${CORE}:1: "@batchwise/sampler" is not allowed: layer core may use nothing, and @batchwise/sampler is pure`,
    ],
    [
      'core -> npm',
      CORE,
      "\nimport 'commander';",
      `${CORE}:2: "commander" is not allowed: layer core may not use the npm package commander`,
    ],
    [
      'core -> node',
      CORE,
      "import 'node:fs';",
      `${CORE}:1: "node:fs" is a Node built-in; layer core runs in a browser`,
    ],
    [
      'pure -> core type',
      SAMPLER,
      "import type { Plan } from '@batchwise/core';",
      `${SAMPLER}:1: "@batchwise/core" is not allowed: layer pure may use only pure, and @batchwise/core is core`,
    ],
    [
      'pure -> npm, re-exported',
      SAMPLER,
      "export * from 'commander/esm.mjs';",
      `${SAMPLER}:1: "commander/esm.mjs" is not allowed: layer pure may not use the npm package commander`,
    ],
    [
      'pure -> bare built-in',
      SAMPLER,
      "import { join } from 'path';",
      `${SAMPLER}:1: "path" is a Node built-in; layer pure runs in a browser`,
    ],
    [
      'pure -> built-in subpath',
      SAMPLER,
      "import 'fs/promises';",
      `${SAMPLER}:1: "fs/promises" is a Node built-in; layer pure runs in a browser`,
    ],
    [
      'pure -> undeclared pure',
      SAMPLER,
      "import '@batchwise/noise-scale';",
      `${SAMPLER}:1: "@batchwise/noise-scale" is not declared in packages/sampler/package.json`,
    ],
    [
      'pure -> computed name',
      SAMPLER,
      'export const load = (name: string) => import(name);',
      `${SAMPLER}:1: imports a module whose name is computed; write the name as a string`,
    ],
    [
      'policy -> tensorflow type',
      TUNER,
      "export type T = import('@tensorflow/tfjs-core').Tensor;",
      `${TUNER}:1: "@tensorflow/tfjs-core" is not allowed: layer policy may not use the npm package @tensorflow/tfjs-core`,
    ],
    [
      'policy -> node',
      TUNER,
      "import os = require('os');",
      `${TUNER}:1: "os" is a Node built-in; layer policy runs in a browser`,
    ],
    [
      'policy -> adapter',
      TUNER,
      "export const load = () => import('@batchwise/backend');",
      `${TUNER}:1: "@batchwise/backend" is not allowed: layer policy may use only pure, core, policy, and @batchwise/backend is adapter`,
    ],
    [
      'adapter -> undeclared npm',
      BACKEND,
      "const x = require('commander');",
      `${BACKEND}:1: "commander" is not declared in packages/backend/package.json`,
    ],
    [
      'adapter -> npm that only the root declares',
      BACKEND,
      "import 'vitest';",
      `${BACKEND}:1: "vitest" is not declared in packages/backend/package.json`,
    ],
    [
      'adapter -> test type',
      BACKEND,
      "import type { Plan } from '@batchwise/testing';",
      `${BACKEND}:1: "@batchwise/testing" is not allowed: layer adapter may use only pure, core, policy, and @batchwise/testing is test`,
    ],
    [
      'adapter -> app',
      BACKEND,
      "import 'demo';",
      `${BACKEND}:1: "demo" is not allowed: layer adapter may use only pure, core, policy, and demo is app`,
    ],
    [
      'policy -> integration',
      TUNER,
      "import '@batchwise/callback';",
      `${TUNER}:1: "@batchwise/callback" is not allowed: layer policy may use only pure, core, policy, and @batchwise/callback is integration`,
    ],
    [
      'integration -> node',
      CALLBACK,
      "import 'node:fs';",
      `${CALLBACK}:1: "node:fs" is a Node built-in; layer integration runs in a browser`,
    ],
    [
      'app -> test suite',
      'apps/demo/src/planted.ts',
      "import '@batchwise/test-suite';",
      `apps/demo/src/planted.ts:1: "@batchwise/test-suite" is not allowed: layer app may use only pure, core, policy, adapter, integration, app, and @batchwise/test-suite is test`,
    ],
    [
      'pure -> adapter folder of its own package',
      PROBE,
      "export { read } from './node/index.ts';",
      `${PROBE}:1: "./node/index.ts" is not allowed: a file of layer pure may not use one of layer adapter`,
    ],
    [
      'pure beside an adapter folder -> node',
      PROBE,
      "import 'node:fs';",
      `${PROBE}:1: "node:fs" is a Node built-in; layer pure runs in a browser`,
    ],
    [
      'pure beside an adapter folder -> its optional peer',
      PROBE,
      "import 'systeminformation';",
      `${PROBE}:1: "systeminformation" is not allowed: layer pure may not use the npm package systeminformation`,
    ],
    [
      'pure -> adapter way into another package',
      SAMPLER,
      "import '@batchwise/probe/node';",
      `${SAMPLER}:1: "@batchwise/probe/node" is not allowed: layer pure may use only pure, and @batchwise/probe/node is adapter`,
    ],
    [
      'adapter -> adapter way into a pure package',
      BACKEND,
      "import '@batchwise/probe/node';",
      `${BACKEND}:1: "@batchwise/probe/node" is not allowed: layer adapter may use only pure, core, policy, and @batchwise/probe/node is adapter`,
    ],
    [
      'adapter folder -> adapter',
      'packages/probe/src/node/planted.ts',
      "import '@batchwise/backend';",
      'packages/probe/src/node/planted.ts:1: "@batchwise/backend" is not allowed: layer adapter may use only pure, core, policy, and @batchwise/backend is adapter',
    ],
    [
      'adapter folder -> undeclared npm',
      'packages/probe/src/node/planted.ts',
      "import 'commander';",
      'packages/probe/src/node/planted.ts:1: "commander" is not declared in packages/probe/package.json',
    ],
    [
      'augmented module',
      BACKEND,
      "export {};\ndeclare module 'commander' {}",
      `${BACKEND}:2: "commander" is not declared in packages/backend/package.json`,
    ],
    [
      'types directive',
      SAMPLER,
      '/// <reference types="commander" />',
      `${SAMPLER}:1: "commander" is not allowed: layer pure may not use the npm package commander`,
    ],
    [
      'require through createRequire',
      BACKEND,
      "createRequire(import.meta.url)('commander');",
      `${BACKEND}:1: "commander" is not declared in packages/backend/package.json`,
    ],
    [
      'itself by name',
      SAMPLER,
      "import '@batchwise/sampler';",
      `${SAMPLER}:1: "@batchwise/sampler" is this package itself; use a relative path`,
    ],
    [
      'relative into another package',
      BACKEND,
      "export * from '../../core/src/plan.ts';",
      `${BACKEND}:1: "../../core/src/plan.ts" leaves its project; import the package by its name`,
    ],
    [
      'relative into node_modules',
      'packages/sampler/test/planted.test.ts',
      "import '../node_modules/x/index.js';",
      'packages/sampler/test/planted.test.ts:1: "../node_modules/x/index.js" reaches into node_modules; import the package by its name',
    ],
    [
      'source -> test file',
      CORE,
      "import '../test/plan.test.ts';",
      `${CORE}:1: "../test/plan.test.ts" leaves src/ for a file that is not shipped`,
    ],
    [
      'source -> tools',
      CORE,
      "import '../../../tools/x.mjs';",
      `${CORE}:1: "../../../tools/x.mjs" leaves its project; import the package by its name`,
    ],
    [
      'file URL',
      BACKEND,
      "import 'file:///etc/x.mjs';",
      `${BACKEND}:1: "file:///etc/x.mjs" is neither a relative path nor a package name`,
    ],
    [
      'imports map',
      BACKEND,
      "import '#x';",
      `${BACKEND}:1: "#x" is neither a relative path nor a package name`,
    ],
    [
      'test -> undeclared npm',
      'packages/core/test/planted.test.ts',
      "import 'commander';",
      `packages/core/test/planted.test.ts:1: "commander" is declared neither in packages/core/package.json nor in the root's devDependencies`,
    ],
    [
      'test -> another package by path',
      'test/all/planted.test.ts',
      "import '../../packages/core/src/plan.ts';",
      'test/all/planted.test.ts:1: "../../packages/core/src/plan.ts" leaves its project; import the package by its name',
    ],
  ];
  it.each(planted)('%s', (_what, path, text, expected) =>
    expect(violations(withFile(path, text))).toEqual([expected]),
  );

  it('in plain JavaScript too', () => {
    expect(violations(withFile('packages/sampler/src/planted.mjs', "import 'fs';"))).toHaveLength(1);
  });

  it('but not for words in comments and strings', () => {
    const text = "// import 'fs';\nexport const text = \"import 'node:fs'\";\n";
    expect(violations(withFile(SAMPLER, text))).toEqual([]);
  });

  it('but not for the build recipe shared by configuration and tests', () => {
    expect(
      violations(withFile('packages/core/tsup.config.ts', "import '../../tools/tsup.preset.ts';")),
    ).toEqual([]);
  });
});
