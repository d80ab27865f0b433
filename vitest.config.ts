import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { softwareVulkan } from './packages/backend/src/node/software-vulkan.ts';
import { isComputing } from './tools/test/computing.mjs';
import { workspaces, type Workspace } from './tools/workspaces.mjs';

/** Tests run on the sources: the custom condition makes a build unnecessary. */
const conditions = ['@batchwise/source', 'node', 'import', 'default'];

/** No test waits on the clock; this only ends what hangs, on machines that are slow and busy too. */
const TIME_LIMIT_MS = 300_000;

/**
 * What a project's tests are like, in the order in which they run: plain computations share a process, tests that start
 * processes or train on one thread run side by side, and those of native TensorFlow, which takes all cores, alone.
 */
const WAYS = {
  computing: { isolate: false, maxWorkers: availableParallelism(), sequence: { groupOrder: 1 } },
  apart: { maxWorkers: availableParallelism(), sequence: { groupOrder: 2 } },
  alone: { maxWorkers: 1, sequence: { groupOrder: 3 } },
};

const project = (name: string, root: string, way: keyof typeof WAYS) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    root,
    environment: 'node' as const,
    include: ['test/**/*.test.ts'],
    pool: 'forks' as const,
    testTimeout: TIME_LIMIT_MS,
    hookTimeout: TIME_LIMIT_MS,
    // A process finds the software Vulkan of an installed Chromium only where it starts with it.
    env: name === 'backend' ? { ...softwareVulkan() } : {},
    ...WAYS[way],
  },
});

/** The folders of test/ where native TensorFlow trains in the test's own process. */
const ON_NATIVE = ['engines', 'native'];

/** Checks of the repository as a whole; some start npm, Nx or Node and look at the built packages. */
function repositoryProjects(root: string) {
  const onNative = ON_NATIVE.map((folder) => `${folder}/**/*.test.ts`);
  const { test, ...rest } = project('test-suite', root, 'apart');
  const { test: native } = project('engine-suite', root, 'alone');
  return [
    { ...rest, test: { ...test, include: ['*/**/*.test.ts'], exclude: [...onNative, '**/node_modules/**'] } },
    { ...rest, test: { ...native, include: onNative } },
  ];
}

/** The tests of callback that touch TensorFlow.js, on the oldest that it takes. */
function oldestProject(path: string, version: string | undefined) {
  const { test, ...rest } = project(
    'callback-on-oldest-tfjs',
    fileURLToPath(new URL('packages/callback', import.meta.url)),
    'apart',
  );
  const env = { BATCHWISE_TFJS_FOLDER: join(path, 'node_modules'), BATCHWISE_TFJS_VERSION: version ?? '' };
  // Policies and clocks are the same there.
  return { ...rest, test: { ...test, env, exclude: ['test/closed-loop.test.ts'] } };
}

function projectsOf(workspace: Workspace) {
  const { folder, path, manifest } = workspace;
  switch (folder) {
    case 'test':
      return repositoryProjects(path);
    case 'tools/oldest-tfjs':
      return [oldestProject(path, manifest.devDependencies?.['@tensorflow/tfjs-core'])];
    default:
      return [project(basename(folder), path, isComputing(workspace) ? 'computing' : 'apart')];
  }
}

/** `npm test` runs the tests in two parts. */
const part = process.env['BATCHWISE_TEST_PART'];
if (part !== undefined && part !== 'computing' && part !== 'others')
  throw new RangeError(`BATCHWISE_TEST_PART is ${part}; give computing or others, or leave it out.`);

const projects = workspaces(fileURLToPath(new URL('.', import.meta.url)))
  .filter((workspace) => part === undefined || isComputing(workspace) === (part === 'computing'))
  .flatMap(projectsOf);

export default defineConfig({
  test: {
    projects,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**', 'apps/*/src/**'],
      reporter: ['text', 'json-summary'],
    },
  },
});
