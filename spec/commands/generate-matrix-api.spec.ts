import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { committedSource } from '../../src/commands/generate-matrix-api.ts';
import { Definitions } from '../../src/commands/matrix-api/definitions.ts';
import { readOperations } from '../../src/commands/matrix-api/operations.ts';
import { renderMatrixApi } from '../../src/commands/matrix-api/render.ts';
import { pascalCase, TypeWriter } from '../../src/commands/matrix-api/type-writer.ts';
import { repository } from '../support/source-files.ts';
import { describeShared, sharedFolder } from '../support/shared.ts';

const source = join(sharedFolder() ?? tmpdir(), 'matrix-spec');

describeShared('generated from ../shared/matrix-spec', () => {
  test('the committed files come out again: npm run generate:api', async () => {
    const folder = join(repository, 'src/matrix/api');
    const generated = await renderMatrixApi(new Definitions(source), committedSource);
    const handwritten = ['corrections.ts'];
    expect([...generated.keys(), ...handwritten].sort()).toEqual(readdirSync(folder).sort());
    for (const [name, text] of generated) expect(text, name).toBe(readFileSync(join(folder, name), 'utf8'));
  });

  test('the operations are those of endpoints.tsv', () => {
    const [, ...rows] = readFileSync(join(source, 'endpoints.tsv'), 'utf8').trimEnd().split('\n');
    const read = readOperations(new Definitions(source)).map((operation) =>
      [
        operation.api,
        operation.method,
        operation.path,
        operation.operationId,
        operation.auth === 'none' ? '-' : operation.auth,
        operation.rateLimited ? 'yes' : 'no',
        operation.addedIn ?? '',
        operation.deprecated ? 'deprecated' : '',
        operation.file,
      ].join('\t'),
    );
    expect(read.toSorted()).toEqual(rows.toSorted());
  });
});

test('a folder that is not the specification is refused with a sentence', () => {
  expect(() => new Definitions(mkdtempSync(join(tmpdir(), 'no-spec-')))).toThrow(/give the data folder of matrix-spec/);
});

describe('types of schemas', () => {
  const writer = new TypeWriter(new Definitions(existsSync(source) ? source : repository));
  test.runIf(existsSync(source)).each<[string, object, string]>([
    ['anything', {}, 'JsonValue'],
    ['a description only', { description: 'x' }, 'JsonValue'],
    ['a text', { type: 'string', format: 'mx-user-id' }, 'string'],
    ['one of several types', { type: ['string', 'integer', 'null'] }, 'string | number | null'],
    ['one of several values', { type: 'string', enum: ['a', 'b'] }, '"a" | "b"'],
    ['a list', { type: 'array', items: { type: ['string', 'object'] } }, 'readonly (string | JsonObject)[]'],
    ['a list of anything', { type: 'array' }, 'readonly JsonValue[]'],
    ['an object', { type: 'object' }, 'JsonObject'],
    [
      'an object with properties',
      { type: 'object', properties: { a: { type: 'string' }, 'm.b': { type: 'integer' } }, required: ['a'] },
      '{ readonly a: string; readonly "m.b"?: number }',
    ],
    [
      'a map',
      { type: 'object', additionalProperties: { type: 'boolean' } },
      '{ readonly [name: string]: boolean | undefined }',
    ],
    [
      'properties and more',
      { properties: { a: { type: 'string' } }, additionalProperties: true },
      '{ readonly a?: string } & JsonObject',
    ],
    [
      'all of several',
      { type: 'object', allOf: [{ properties: { a: {} } }, { properties: { b: {} } }] },
      '{ readonly a?: JsonValue } & { readonly b?: JsonValue }',
    ],
    ['one of several schemas', { oneOf: [{ type: 'string' }, { type: 'array' }] }, 'string | readonly JsonValue[]'],
  ])('%s', (_name, schema, type) => {
    expect(writer.typeOf(schema, 'api/client-server/login.yaml')).toBe(type);
  });
  test('names', () => {
    expect(pascalCase('m.mentions')).toBe('MMentions');
    expect(pascalCase('push_rule')).toBe('PushRule');
    expect(pascalCase('getTokenOwner')).toBe('GetTokenOwner');
  });
});
