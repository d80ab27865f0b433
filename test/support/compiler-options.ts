import { join } from 'node:path';
import ts from 'typescript';
import { root } from './repository.ts';

/** The options of tsconfig.base.json for a program that is only asked questions. */
export function compilerOptions(): ts.CompilerOptions {
  const file = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(file.config, ts.sys, root);
  return {
    ...options,
    composite: false,
    declaration: false,
    declarationMap: false,
    emitDeclarationOnly: false,
    noEmit: true,
    types: ['node'],
  };
}
