import { join } from 'node:path';
import ts from 'typescript';
import type { Workspace } from '../../tools/workspaces.mjs';
import { compilerOptions } from './compiler-options.ts';
import { libraries } from './repository.ts';

/** One way into a package: a key of its `exports` that leads to a source file. */
export interface EntryPoint {
  readonly subpath: string;
  readonly source: string;
  /** The built file that `import` gets. */
  readonly built: string;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

export const entryPoints = ({ path, manifest }: Workspace): readonly EntryPoint[] =>
  Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    if (!isRecord(target) || !isRecord(target['import'])) return [];
    const { '@batchwise/source': source, import: built } = target;
    return [{ subpath, source: join(path, String(source)), built: join(path, String(built['default'])) }];
  });

const program = ts.createProgram({
  rootNames: libraries.flatMap((library) => entryPoints(library).map(({ source }) => source)),
  options: compilerOptions(),
});
const checker = program.getTypeChecker();

export interface PublicName {
  readonly name: string;
  readonly isValue: boolean;
  readonly isDocumented: boolean;
}

/** What an entry point exports, sorted by name. */
export function publicNames({ source }: EntryPoint): readonly PublicName[] {
  const file = program.getSourceFile(source);
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) return [];
  return checker
    .getExportsOfModule(module)
    .map((exported) => {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
      return {
        name: exported.name,
        isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0,
        isDocumented: symbol.getDocumentationComment(checker).length > 0,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
