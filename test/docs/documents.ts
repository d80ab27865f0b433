import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { workspaces } from '../../tools/workspaces.mjs';
import { readText, root } from '../support/repository.ts';
import { codeBlocks, type CodeBlock } from './code-blocks.ts';

const guides = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')) : [];

/** Each Markdown file whose examples are promised to work, from the root. */
export const documents: readonly string[] = [
  'README.md',
  ...workspaces(root).map(({ folder }) => `${folder}/README.md`),
  ...guides.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
].filter((path) => existsSync(join(root, path)));

export const allBlocks: readonly CodeBlock[] = documents.flatMap((path) => codeBlocks(path, readText(path)));
