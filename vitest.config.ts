import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** Tests run on the sources: the custom condition makes a build unnecessary. */
const conditions = ['@batchwise/source', 'node', 'import', 'default'];

const project = (name: string, root: string) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name, root: here(root), environment: 'node' as const, include: ['test/**/*.test.ts'], pool: 'forks' as const },
});

const members = ['packages', 'apps'].flatMap((folder) =>
  readdirSync(here(folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(here(`${folder}/${entry.name}/package.json`)))
    .map((entry) => project(entry.name, `${folder}/${entry.name}`)),
);

export default defineConfig({
  test: {
    projects: members,
    coverage: { provider: 'v8', include: ['packages/*/src/**', 'apps/*/src/**'], reporter: ['text', 'json-summary'] },
  },
});
