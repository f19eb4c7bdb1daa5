/**
 * What the specification says a request of each client operation looks like, and which errors it names, in the little
 * detail that bad-input.spec.ts needs. Kept in request-definitions.txt, one operation a line, so that the spec runs
 * without the definitions; `npm run conformance:update` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Definitions, fieldsOf, listOf, textOf, type Fields } from '../../../src/commands/matrix-api/definitions.ts';
import { readOperations } from '../../../src/commands/matrix-api/operations.ts';
import { corrections } from '../../../src/matrix/api/corrections.ts';

/** A JSON schema, reduced. Whatever is absent is not restricted. */
export interface Shape {
  readonly types?: readonly string[];
  readonly values?: readonly string[];
  /** mx-user-id and the like. */
  readonly format?: string;
  readonly fields?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  /** Of the entries of an array. */
  readonly items?: Shape;
  /** Of the fields that are not named. */
  readonly others?: Shape;
}

export interface RequestDefinition {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, Shape & { readonly isRequired?: true }>>;
  /** Absent: the operation takes no JSON body. */
  readonly body?: Shape;
  /** Every errcode that the operation's definition names. */
  readonly errcodes: readonly string[];
}

const file = join(import.meta.dirname, 'request-definitions.txt');

export function readRequestDefinitions(): readonly RequestDefinition[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RequestDefinition);
}

export function writeRequestDefinitions(definitions: readonly RequestDefinition[]): void {
  writeFileSync(file, definitions.map((definition) => `${JSON.stringify(definition)}\n`).join(''));
}

/** From the `data` folder of the specification. */
export function requestDefinitionsIn(folder: string): readonly RequestDefinition[] {
  const definitions = new Definitions(folder);
  const shapes = new Shapes(definitions);
  return readOperations(definitions)
    .filter(({ api }) => api === 'client-server')
    .map(({ method, path, operationId, definition, file: from }) => {
      const correction = corrections.find((one) => one.api === 'client-server' && one.operationId === operationId);
      const content = fieldsOf(fieldsOf(fieldsOf(definition['requestBody'])['content'])['application/json']);
      const isJson = Object.keys(content).length > 0;
      return {
        operationId,
        method,
        path: correction?.change.path ?? path,
        query: Object.fromEntries(
          parametersOf(definition, definitions, from)
            .filter((parameter) => parameter['in'] === 'query')
            .map((parameter) => [
              String(parameter['name']),
              {
                ...shapes.of(parameter['schema'], from),
                ...(parameter['required'] === true ? { isRequired: true as const } : {}),
              },
            ]),
        ),
        ...(isJson ? { body: shapes.of(content['schema'], from) } : {}),
        errcodes: [...new Set(JSON.stringify(definition).match(/\bM_[A-Z0-9_]+\b/g) ?? [])].sort(),
      };
    });
}

function parametersOf(definition: Fields, definitions: Definitions, from: string): readonly Fields[] {
  return listOf(definition['parameters']).map((parameter) => {
    const reference = textOf(fieldsOf(parameter)['$ref']);
    return reference === undefined ? fieldsOf(parameter) : definitions.resolve(reference, from).fields;
  });
}

/** Schemas may refer to themselves; nothing is gained by following them further down. */
const depthMax = 4;

class Shapes {
  readonly #definitions: Definitions;

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  of(schema: unknown, from: string, depth = 0): Shape {
    const fields = fieldsOf(schema);
    if (depth > depthMax) return {};
    const reference = textOf(fields['$ref']);
    const target = reference === undefined ? undefined : this.#definitions.resolve(reference, from);
    const parts = [
      ...(target === undefined ? [] : [this.of(target.fields, target.at.path, depth)]),
      ...listOf(fields['allOf']).map((part) => this.of(part, from, depth)),
      this.#own(fields, from, depth),
    ];
    const alternatives = [...listOf(fields['oneOf']), ...listOf(fields['anyOf'])].map((one) =>
      this.of(one, from, depth),
    );
    return parts.concat(alternatives.length === 0 ? [] : [eitherOf(alternatives)]).reduce(bothOf);
  }

  #own(fields: Fields, from: string, depth: number): Shape {
    const types = [fields['type']].flat().filter((type) => typeof type === 'string');
    const values = listOf(fields['enum']).filter((value) => typeof value === 'string');
    const properties = Object.entries(fieldsOf(fields['properties']));
    const others = fields['additionalProperties'] ?? Object.values(fieldsOf(fields['patternProperties']))[0];
    const required = listOf(fields['required']).filter((name) => typeof name === 'string');
    const format = textOf(fields['format']);
    return {
      ...(types.length > 0 ? { types } : {}),
      ...(values.length > 0 ? { values } : {}),
      ...(format === undefined ? {} : { format }),
      ...(properties.length > 0
        ? { fields: Object.fromEntries(properties.map(([name, one]) => [name, this.of(one, from, depth + 1)])) }
        : {}),
      ...(required.length > 0 ? { required } : {}),
      ...(fields['items'] === undefined ? {} : { items: this.of(fields['items'], from, depth + 1) }),
      ...(typeof others === 'object' ? { others: this.of(others, from, depth + 1) } : {}),
    };
  }
}

function bothOf(a: Shape, b: Shape): Shape {
  const fields = { ...a.fields, ...b.fields };
  const required = [...new Set([...(a.required ?? []), ...(b.required ?? [])])];
  return {
    ...a,
    ...b,
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}

/** Only what any of them allows: the types. */
function eitherOf(alternatives: readonly Shape[]): Shape {
  if (alternatives.some(({ types }) => types === undefined)) return {};
  return { types: [...new Set(alternatives.flatMap(({ types }) => types ?? []))] };
}
