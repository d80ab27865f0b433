import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { sourceFiles } from '../../tools/workspaces.mjs';
import { publishable } from '../support/repository.ts';

export interface Source {
  /** From the root. */
  readonly path: string;
  readonly text: string;
}

/** Each TypeScript file that is shipped. */
export const sources: readonly Source[] = publishable
  .filter(({ path }) => existsSync(join(path, 'src')))
  .flatMap(({ folder, path }) =>
    sourceFiles(path, 'src')
      .filter((file) => /\.[cm]?tsx?$/.test(file))
      .map((file) => ({ path: `${folder}/${file}`, text: readFileSync(join(path, file), 'utf8') })),
  );

/** All syntax nodes of a file for which `matches` holds, as `path:line`. */
export function places({ path, text }: Source, matches: (node: ts.Node) => boolean): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (matches(node)) found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

export const isAny = (node: ts.Node): boolean => node.kind === ts.SyntaxKind.AnyKeyword;

export const isInstanceof = (node: ts.Node): boolean => node.kind === ts.SyntaxKind.InstanceOfKeyword;

export const isCallOf =
  (method: string) =>
  (node: ts.Node): boolean =>
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === method;
