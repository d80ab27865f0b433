import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { run, type Ending } from '../../tools/child-process.mjs';
import { compilerOptions } from '../support/compiler-options.ts';
import { root } from '../support/repository.ts';
import { onItsLines, type CodeBlock } from './code-blocks.ts';

const LIMIT_MS = 120_000;

/** A folder as a user's project would be: the packages are installed, and it belongs to no other project. */
export function makeProject(folder: string): void {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
}

const fileOf = (project: string, { path, line }: CodeBlock): string =>
  join(project, `${path.replaceAll('/', '-')}-${line}`, 'example.ts');

/** Against the built packages and, unlike their own sources, with the browser's types at hand. */
const userOptions: ts.CompilerOptions = {
  ...compilerOptions(),
  customConditions: [],
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  moduleDetection: ts.ModuleDetectionKind.Force,
  typeRoots: [join(root, 'node_modules/@types')],
};

const described = ({ messageText, file, start }: ts.Diagnostic, path: string): string => {
  const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
  return `${path}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
};

/**
 * Type-checks blocks, all in one program.
 * @returns The messages by block, each with the line in the Markdown file.
 */
export function typeErrors(
  project: string,
  blocks: readonly CodeBlock[],
): ReadonlyMap<CodeBlock, readonly string[]> {
  for (const block of blocks) {
    const file = fileOf(project, block);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, onItsLines(block));
  }
  const program = ts.createProgram({
    rootNames: blocks.map((block) => fileOf(project, block)),
    options: userOptions,
  });
  const general = program.getOptionsDiagnostics();
  return new Map(
    blocks.map((block) => {
      const file = program.getSourceFile(fileOf(project, block));
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      return [block, [...general, ...found].map((diagnostic) => described(diagnostic, block.path))];
    }),
  );
}

/** Runs one block with plain Node in a folder of its own; a stack trace names the line in the Markdown file. */
export function runBlock(project: string, block: CodeBlock): Promise<Ending> {
  const file = fileOf(project, block).replace(/ts$/, 'mjs');
  const { outputText } = ts.transpileModule(onItsLines(block), {
    fileName: join(root, block.path),
    compilerOptions: { ...userOptions, module: ts.ModuleKind.ESNext, inlineSourceMap: true },
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, outputText);
  return run(
    { program: process.execPath, args: ['--enable-source-maps', file] },
    {
      cwd: dirname(file),
      env: { NODE_ENV: undefined, VITEST: undefined },
      signal: AbortSignal.timeout(LIMIT_MS),
    },
  );
}
