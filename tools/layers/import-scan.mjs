// @ts-check
import ts from 'typescript';

/**
 * One place where a file names another module.
 * @typedef {object} Import
 * @property {string | undefined} specifier  `undefined` when it is computed at run time.
 * @property {number} line                   Counted from 1.
 */

/** @param {ts.Node | undefined} node */
const textOf = (node) => (node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined);

/** @param {ts.Expression} callee */
const loadsModule = (callee) =>
  callee.kind === ts.SyntaxKind.ImportKeyword ||
  (ts.isIdentifier(callee) && callee.text === 'require') ||
  (ts.isPropertyAccessExpression(callee) && callee.getText() === 'require.resolve') ||
  (ts.isCallExpression(callee) && /(^|\.)createRequire$/.test(callee.expression.getText()));

/**
 * The node that names the module, when `node` is any of: import, export from, `import x = require()`, an import type,
 * a module augmentation, `import()`, `require()`.
 * @param {ts.Node} node
 * @returns {{ readonly name: ts.Node | undefined } | undefined}
 */
function moduleReference(node) {
  if (ts.isImportDeclaration(node)) return { name: node.moduleSpecifier };
  if (ts.isExportDeclaration(node)) return node.moduleSpecifier && { name: node.moduleSpecifier };
  if (ts.isExternalModuleReference(node)) return { name: node.expression };
  if (ts.isImportTypeNode(node))
    return { name: ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined };
  if (ts.isModuleDeclaration(node)) return ts.isStringLiteral(node.name) ? { name: node.name } : undefined;
  if (ts.isCallExpression(node) && loadsModule(node.expression)) return { name: node.arguments[0] };
  return undefined;
}

/**
 * Every module that a file names, found with TypeScript's own parser.
 * @param {string} fileName Decides the language (ts, tsx, mjs, ...).
 * @param {string} text
 * @returns {Import[]}
 */
export function importsOf(fileName, text) {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const lineAt = (/** @type {number} */ position) => source.getLineAndCharacterOfPosition(position).line + 1;
  /** @type {Import[]} */
  const found = [
    ...source.typeReferenceDirectives.map(({ fileName, pos }) => ({
      specifier: fileName,
      line: lineAt(pos),
    })),
    ...source.referencedFiles.map(({ fileName, pos }) => ({ specifier: `./${fileName}`, line: lineAt(pos) })),
  ];
  const visit = (/** @type {ts.Node} */ node) => {
    const reference = moduleReference(node);
    if (reference !== undefined) {
      found.push({ specifier: textOf(reference.name), line: lineAt(node.getStart(source)) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
