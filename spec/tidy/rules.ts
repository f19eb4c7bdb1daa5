import ts from 'typescript';
import { comparedBy, dottedName, isValueUse, moduleOf, textOf } from '../support/syntax.ts';

const globalsOfPlatform = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'Worker',
  'WebSocket',
  'performance',
]);
const membersOfPlatform = new Set([
  'Date.now',
  'Math.random',
  'crypto.randomBytes',
  'crypto.randomUUID',
  'crypto.randomInt',
  'crypto.getRandomValues',
  'process.env',
  'process.hrtime',
  'AbortSignal.timeout',
]);
const importsOfPlatform = new Set([
  'randomBytes',
  'randomUUID',
  'randomInt',
  'randomFillSync',
  'randomFill',
  'getRandomValues',
]);
const modulesOfPlatform =
  /^(node:)?(https?|http2|net|tls|dgram|dns|worker_threads|child_process|timers|dns\/promises|timers\/promises)$/;

/** Time, timers, chance, network or environment taken from the source instead of from a port. */
export function usesPlatform(node: ts.Node): boolean {
  if (ts.isImportSpecifier(node)) return importsOfPlatform.has((node.propertyName ?? node.name).text);
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date')
    return (node.arguments ?? []).length === 0;
  if (ts.isPropertyAccessExpression(node)) {
    const name = dottedName(node) ?? '';
    const global = name.replace(/^globalThis\./, '');
    return membersOfPlatform.has(global) || (global !== name && globalsOfPlatform.has(global));
  }
  return ts.isIdentifier(node) && globalsOfPlatform.has(node.text) && isValueUse(node);
}

/** Types do nothing, so importing them is fine. */
export function importsPlatform(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return false;
  return modulesOfPlatform.test(moduleOf(node) ?? '');
}

/** A room version held against a literal, or anything named a version against "1" to "12". */
export function comparesRoomVersion(node: ts.Node): boolean {
  const compared = comparedBy(node);
  if (compared.some(isRoomVersion) && compared.some(isLiteral)) return true;
  return compared.some(isVersionText) && compared.some((side) => /version/i.test(side.getText()));
}
const isRoomVersion = (node: ts.Expression): boolean => /room_?version(_?id)?$/i.test(dottedName(node) ?? '');
const isLiteral = (node: ts.Expression): boolean =>
  textOf(node) !== undefined || ts.isNumericLiteral(node) || ts.isArrayLiteralExpression(node);
const isVersionText = (node: ts.Expression): boolean => /^([1-9]|1[0-2])$/.test(textOf(node) ?? '');

/** Something held against the configured server name. */
export function comparesOwnServerName(node: ts.Node): boolean {
  const own = /\b(config|configuration|settings)\b.*\bserver_?name\b|\b(own|our|my|this\.|local|home)_?server_?name\b/i;
  return comparedBy(node).some((side) => own.test(side.getText()));
}

/** `any`, or an assertion by way of unknown. */
export function silencesType(node: ts.Node): boolean {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return true;
  return (
    ts.isAsExpression(node) &&
    ts.isAsExpression(node.expression) &&
    node.expression.type.kind === ts.SyntaxKind.UnknownKeyword
  );
}

/** describe.only, test.skip and the like. */
export function leavesTestsOut(node: ts.Node): boolean {
  return (
    ts.isPropertyAccessExpression(node) &&
    ['only', 'skip', 'todo', 'fails'].includes(node.name.text) &&
    /^(it|test|describe|suite|bench)\b/.test(node.expression.getText())
  );
}

/** A relative import without its file's real ending: Node would not find it. */
export function importsWithoutEnding(node: ts.Node): boolean {
  const module = moduleOf(node) ?? '';
  return /^\.\.?(\/|$)/.test(module) && !/\.(ts|cjs|mjs|json)$/.test(module);
}

/** The operationIds of all `defineEndpoint({ operationId: '…' })` in a file. */
export function operationIdsIn(tree: ts.SourceFile): string[] {
  const ids: string[] = [];
  const step = (node: ts.Node): void => {
    const definition =
      ts.isCallExpression(node) && dottedName(node.expression) === 'defineEndpoint' ? node.arguments[0] : undefined;
    if (definition !== undefined && ts.isObjectLiteralExpression(definition))
      for (const property of definition.properties)
        if (ts.isPropertyAssignment(property) && property.name.getText(tree) === 'operationId')
          ids.push(textOf(property.initializer) ?? '(computed)');
    ts.forEachChild(node, step);
  };
  step(tree);
  return ids;
}

export function kebabCase(operationId: string): string {
  return operationId
    .replaceAll('_', '-')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

/** Where acronyms or digits make the dashes a matter of taste (add3PID), only the letters count. */
export function isFileNameOf(name: string, operationId: string): boolean {
  if (name === kebabCase(operationId)) return true;
  return /\d|[A-Z]{2}/.test(operationId) && name.replaceAll('-', '') === operationId.toLowerCase();
}
