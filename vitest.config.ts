import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { softwareVulkan } from './packages/backend/src/node/software-vulkan.ts';
import { workspaces } from './tools/workspaces.mjs';

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

const projects = workspaces(fileURLToPath(new URL('.', import.meta.url))).map(({ folder, path }) =>
  folder === 'test' ? repositoryProject(path) : project(basename(folder), path),
);

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
