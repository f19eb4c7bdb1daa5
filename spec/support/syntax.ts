import ts from 'typescript';
import type { SourceFile } from './source-files.ts';

/** Calls `visit` for every node of the file, parents first. */
export function walk(file: SourceFile, visit: (node: ts.Node) => void): void {
  const step = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, step);
  };
  step(file.tree);
}

/** The nodes of one file that `matches` accepts, each as `path:line`. */
export function findPlaces(file: SourceFile, matches: (node: ts.Node) => boolean): string[] {
  const places: string[] = [];
  walk(file, (node) => {
    if (matches(node)) places.push(placeOf(file, node));
  });
  return places;
}

export function placeOf(file: SourceFile, node: ts.Node): string {
  const { line } = file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree));
  return `${file.path}:${line + 1}`;
}

/** The module a static import, re-export or dynamic import names. */
export function moduleOf(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined)
    return textOf(node.moduleSpecifier);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return textOf(node.arguments[0]);
  return undefined;
}

/** The text of a string literal, undefined for any other node. */
export function textOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** `a.b.c` of a chain of property accesses, `?.` written as `.`; undefined for anything else. */
export function dottedName(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (node.kind === ts.SyntaxKind.ThisKeyword) return 'this';
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  const left = dottedName(node.expression);
  return left === undefined ? undefined : `${left}.${node.name.text}`;
}

/** Whether an identifier stands for a value, rather than naming a property, a parameter or a type. */
export function isValueUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isBindingElement(parent) || ts.isVariableDeclaration(parent) || ts.isParameter(parent))
    return parent.initializer === node;
  return ts.isExpression(parent) || ts.isStatement(parent) || ts.isTemplateSpan(parent);
}

const equality = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);
const order = new Set([
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);

/** What a node compares with each other: both sides of an operator, receiver and argument of includes, startsWith, endsWith; a switch and its cases. */
export function comparedBy(node: ts.Node): readonly ts.Expression[] {
  if (ts.isBinaryExpression(node))
    return equality.has(node.operatorToken.kind) || order.has(node.operatorToken.kind) ? [node.left, node.right] : [];
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const compares = ['includes', 'startsWith', 'endsWith', 'localeCompare'].includes(node.expression.name.text);
    return compares ? [node.expression.expression, ...node.arguments] : [];
  }
  if (ts.isSwitchStatement(node))
    return [
      node.expression,
      ...node.caseBlock.clauses.flatMap((clause) => (ts.isCaseClause(clause) ? [clause.expression] : [])),
    ];
  return [];
}
