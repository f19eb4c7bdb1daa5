import { format } from 'prettier';
import { fieldsOf, textOf, type Definitions, type Fields } from './definitions.ts';
import { readOperations, type Api, type DefinedOperation } from './operations.ts';
import { pascalCase, TypeWriter } from './type-writer.ts';

export interface Source {
  /** Of the specification, such as v1.19. */
  readonly version: string;
  /** Of the repository matrix-org/matrix-spec. */
  readonly commit: string;
}

/** File name → text of everything that is generated. */
export async function renderMatrixApi(definitions: Definitions, source: Source): Promise<ReadonlyMap<string, string>> {
  const operations = readOperations(definitions);
  const files = new Map([
    ['operations.ts', operationsFile(operations, source)],
    ['event-content.ts', eventContentFile(definitions, source)],
    ...(['client-server', 'server-server', 'application-service', 'push-gateway'] as const).map(
      (api) => [`${api}.ts`, bodiesFile(definitions, operations, api, source)] as const,
    ),
  ]);
  const formatted = [...files].map(async ([name, text]) => [name, await formatTypeScript(text)] as const);
  return new Map(await Promise.all(formatted));
}

const formatTypeScript = (text: string): Promise<string> =>
  format(text, { parser: 'typescript', singleQuote: true, printWidth: 120, trailingComma: 'all' });

function header(what: string, { version, commit }: Source): string {
  return `/**
 * ${what}
 * Generated from the definitions of the Matrix specification ${version} (matrix-org/matrix-spec ${commit},
 * Apache-2.0) by \`npm run generate:api\`. Do not edit: corrections go to corrections.ts.
 */
`;
}

/** The import of the JSON types that the text uses. */
function jsonImport(text: string): string {
  const used = ['JsonObject', 'JsonValue'].filter((name) => text.includes(name));
  return used.length === 0 ? '' : `import type { ${used.join(', ')} } from '../json/json-value.ts';\n`;
}

function operationsFile(operations: readonly DefinedOperation[], source: Source): string {
  const rows = operations.map(({ api, method, path, operationId, auth, rateLimited, addedIn, deprecated }) =>
    literal({ api, method, path, operationId, auth, rateLimited, addedIn: addedIn ?? null, deprecated }),
  );
  return `${header('Every operation of the Matrix APIs.', source)}
export interface Operation {
  readonly api: ${unionOf(operations.map(({ api }) => api))};
  readonly method: ${unionOf(operations.map(({ method }) => method))};
  /** As defined. A trailing space marks the second operation on one path. */
  readonly path: string;
  readonly operationId: string;
  /** A question mark: it may be left out. */
  readonly auth: ${unionOf(operations.map(({ auth }) => auth))};
  readonly rateLimited: boolean;
  /** The version of the specification that added it; null: 1.0 or before. */
  readonly addedIn: string | null;
  readonly deprecated: boolean;
}
export const specification = ${JSON.stringify(source)} as const;
// prettier-ignore
export const operations: readonly Operation[] = [
${rows.map((row) => `  ${row},`).join('\n')}
];
`;
}

function literal(fields: Fields): string {
  const entries = Object.entries(fields).map(([name, value]) => {
    const text = JSON.stringify(value);
    return `${name}: ${typeof value === 'string' ? `'${text.slice(1, -1)}'` : text}`;
  });
  return `{ ${entries.join(', ')} }`;
}

function unionOf(values: readonly string[]): string {
  return [...new Set(values)]
    .sort()
    .map((value) => JSON.stringify(value))
    .join(' | ');
}

function eventContentFile(definitions: Definitions, source: Source): string {
  const writer = new TypeWriter(definitions);
  const contents = new Map<string, string[]>();
  for (const path of definitions.filesIn('event-schemas/schema')) {
    const schema = definitions.document(path);
    const type = eventTypeOf(schema);
    const content = contentOf(schema, definitions, path);
    if (type === undefined || content === undefined) continue;
    contents.set(type, [...(contents.get(type) ?? []), writer.typeOf(content.schema, content.path)]);
  }
  const rows = [...contents].map(([type, types]) => `readonly ${JSON.stringify(type)}: ${types.join(' | ')};`);
  const text = `
/** Event type → content. Events come from anybody: content is what its type says only after it was checked. */
export interface EventContent {
${rows.join('\n')}
}
${writer.declarations().join('\n')}
`;
  return header('The content of every event that the specification defines.', source) + jsonImport(text) + text;
}

function eventTypeOf(schema: Fields): string | undefined {
  const { enum: values } = fieldsOf(fieldsOf(schema['properties'])['type']);
  return Array.isArray(values) ? textOf(values[0]) : undefined;
}

/** The schema of `content`, from the event's own properties or from the one that it extends. */
function contentOf(
  schema: Fields,
  definitions: Definitions,
  path: string,
): { readonly schema: unknown; readonly path: string } | undefined {
  const own = fieldsOf(schema['properties'])['content'];
  if (own !== undefined) return { schema: own, path };
  const extended = Array.isArray(schema['allOf']) ? schema['allOf'].map((part: unknown) => fieldsOf(part)['$ref']) : [];
  for (const reference of [...extended, schema['$ref']]) {
    if (typeof reference !== 'string') continue;
    const { at, fields } = definitions.resolve(reference, path);
    const found = contentOf(fields, definitions, at.path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function bodiesFile(
  definitions: Definitions,
  operations: readonly DefinedOperation[],
  api: Api,
  source: Source,
): string {
  const writer = new TypeWriter(definitions);
  const own = operations.filter((operation) => operation.api === api);
  for (const { operationId } of own)
    for (const body of ['Request', 'Response']) writer.reserve(pascalCase(operationId) + body);
  const declarations = own.flatMap(({ operationId, definition, file }) => {
    const request = jsonSchemaOf(definitions, definition['requestBody'], file);
    const response = jsonSchemaOf(definitions, fieldsOf(definition['responses'])['200'], file);
    return [['Request', request] as const, ['Response', response] as const].flatMap(([body, found]) =>
      found === undefined
        ? []
        : [`export type ${pascalCase(operationId)}${body} = ${writer.typeOf(found.schema, found.path)};`],
    );
  });
  const what = `Request and successful response bodies of the ${api} API, by operationId.`;
  const text = `\n${declarations.join('\n')}\n${writer.declarations().join('\n')}\n`;
  return header(what, source) + jsonImport(text) + text;
}

/** The schema of the JSON body of a request or response, which may stand elsewhere. */
function jsonSchemaOf(
  definitions: Definitions,
  body: unknown,
  path: string,
): { readonly schema: unknown; readonly path: string } | undefined {
  const fields = fieldsOf(body);
  const reference = textOf(fields['$ref']);
  if (reference !== undefined) {
    const { at, fields: target } = definitions.resolve(reference, path);
    return jsonSchemaOf(definitions, target, at.path);
  }
  const { schema } = fieldsOf(fieldsOf(fields['content'])['application/json']);
  return schema === undefined ? undefined : { schema, path };
}
