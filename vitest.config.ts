import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { softwareVulkan } from './packages/backend/src/node/software-vulkan.ts';
import { workspaces, type Workspace } from './tools/workspaces.mjs';

/** Tests run on the sources: the custom condition makes a build unnecessary. */
const conditions = ['@batchwise/source', 'node', 'import', 'default'];

const project = (name: string, root: string) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    root,
    environment: 'node' as const,
    include: ['test/**/*.test.ts'],
    pool: 'forks' as const,
    // Tests of real engines share the machine; how fast they are is for the benchmarks.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A process finds the software Vulkan of an installed Chromium only where it starts with it.
    env: name === 'backend' ? { ...softwareVulkan() } : {},
  },
});

/** Checks of the repository as a whole; some start npm, Nx or Node and look at the built packages. */
function repositoryProject(root: string) {
  const { test, ...rest } = project('test-suite', root);
  return {
    ...rest,
    test: { ...test, include: ['*/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
  };
}

/** The tests of callback that touch TensorFlow.js, on the oldest that it takes. */
function oldestProject(path: string, version: string | undefined) {
  const { test, ...rest } = project(
    'callback-on-oldest-tfjs',
    fileURLToPath(new URL('packages/callback', import.meta.url)),
  );
  const env = { BATCHWISE_TFJS_FOLDER: join(path, 'node_modules'), BATCHWISE_TFJS_VERSION: version ?? '' };
  const exclude = [
    'test/batch-history.test.ts',
    'test/closed-loop.test.ts',
    'test/probe-memory.test.ts',
    'test/create-tuner.test.ts',
  ];
  return { ...rest, test: { ...test, env, exclude } };
}

function projectOf({ folder, path, manifest }: Workspace) {
  switch (folder) {
    case 'test':
      return repositoryProject(path);
    case 'tools/oldest-tfjs':
      return oldestProject(path, manifest.devDependencies?.['@tensorflow/tfjs-core']);
    default:
      return project(basename(folder), path);
  }
}

const projects = workspaces(fileURLToPath(new URL('.', import.meta.url))).map(projectOf);

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
