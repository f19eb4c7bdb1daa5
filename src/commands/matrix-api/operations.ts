import { fieldsOf, listOf, textOf, type Definitions, type Fields } from './definitions.ts';

export const apis = ['application-service', 'client-server', 'identity', 'push-gateway', 'server-server'] as const;
export type Api = (typeof apis)[number];

export interface DefinedOperation {
  readonly api: Api;
  readonly method: string;
  /** As the definition has it, a trailing space included. */
  readonly path: string;
  readonly operationId: string;
  readonly auth: string;
  readonly rateLimited: boolean;
  readonly addedIn: string | undefined;
  readonly deprecated: boolean;
  readonly file: string;
  readonly definition: Fields;
}

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];

/** Every operation of every API, by API, path and method. */
export function readOperations(definitions: Definitions): readonly DefinedOperation[] {
  return apis
    .flatMap((api) => definitions.filesIn(`api/${api}`).flatMap((file) => operationsIn(definitions, api, file)))
    .sort((a, b) => compare(a.api, b.api) || compare(a.path, b.path) || compare(a.method, b.method));
}

function operationsIn(definitions: Definitions, api: Api, file: string): readonly DefinedOperation[] {
  const document = definitions.document(file);
  const base = basePathOf(document);
  return Object.entries(fieldsOf(document['paths'])).flatMap(([path, item]) =>
    Object.entries(fieldsOf(item))
      .filter(([method]) => methods.includes(method))
      .map(([method, node]) => operationOf({ api, file, method, path: base + path }, fieldsOf(node))),
  );
}

function operationOf(
  where: Pick<DefinedOperation, 'api' | 'file' | 'method' | 'path'>,
  definition: Fields,
): DefinedOperation {
  const operationId = textOf(definition['operationId']);
  if (operationId === undefined) throw new Error(`${where.file}: ${where.method} ${where.path} has no operationId`);
  return {
    ...where,
    method: where.method.toUpperCase(),
    operationId,
    auth: authOf(definition, `${where.file}: ${operationId}`),
    rateLimited: Object.hasOwn(fieldsOf(definition['responses']), '429'),
    addedIn: textOf(definition['x-addedInMatrixVersion']),
    deprecated: definition['deprecated'] === true,
    definition,
  };
}

function basePathOf(document: Fields): string {
  const variables = fieldsOf(fieldsOf(listOf(document['servers'])[0])['variables']);
  const base = textOf(fieldsOf(variables['basePath'])['default']) ?? '';
  return base === '/' ? '' : base;
}

/** The scheme without how it is carried; a question mark after it where it may be left out. */
function authOf(definition: Fields, where: string): string {
  const alternatives = listOf(definition['security']).map((alternative) => Object.keys(fieldsOf(alternative)));
  const schemes = new Set(alternatives.flat().map((name) => name.replace(/(Query|Bearer)$/, '')));
  if (schemes.size === 0) return 'none';
  if (schemes.size > 1) throw new Error(`${where} has more than one kind of authentication`);
  return [...schemes].join() + (alternatives.some((names) => names.length === 0) ? '?' : '');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
