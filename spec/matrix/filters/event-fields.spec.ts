import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileEventFields, selectFields } from '../../../src/matrix/filters/event-fields.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { propertyAt } from '../../../src/matrix/json/property-path.ts';

const event: JsonObject = {
  type: 'm.room.message',
  sender: '@alice:example.com',
  content: {
    body: 'hello',
    'm.relates_to': { rel_type: 'm.thread', event_id: '$root' },
    'm\\foo': 1,
    list: [{ a: 1 }],
  },
  unsigned: {},
};
const select = (...paths: string[]): JsonObject => selectFields(event, compileEventFields(paths));

describe('event_fields', () => {
  it.each<[string[], JsonObject]>([
    [['type', 'sender'], { type: 'm.room.message', sender: '@alice:example.com' }],
    [['content.body'], { content: { body: 'hello' } }],
    [['content.m\\.relates_to.rel_type'], { content: { 'm.relates_to': { rel_type: 'm.thread' } } }],
    [['content.m\\\\foo'], { content: { 'm\\foo': 1 } }],
    [['content.m.relates_to'], {}],
    [['content.list.0', 'content.list.a', 'type.length', 'missing', 'content.missing.deep'], {}],
    [['content', 'content.body'], { content: event['content'] ?? null }],
    [['content.body', 'content'], { content: event['content'] ?? null }],
    [['content.body', 'content.list'], { content: { body: 'hello', list: [{ a: 1 }] } }],
    [['unsigned'], { unsigned: {} }],
    [['__proto__', 'constructor', 'content.toString', ''], {}],
  ])('%j', (paths, expected) => {
    expect(select(...paths)).toEqual(expected);
  });

  it('keeps a property that is called __proto__ as a property', () => {
    const odd = JSON.parse('{"__proto__":{"a":1},"b":2}') as JsonObject;
    expect(JSON.stringify(selectFields(odd, compileEventFields(['__proto__.a'])))).toBe('{"__proto__":{"a":1}}');
  });

  it('gives what is at each path, and nothing that no path leads to', () => {
    const names = fc.constantFrom('a', 'b', 'c.d', 'e\\');
    const objects = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.constant('text'), fc.array(fc.integer()), tie('object')),
      object: fc.dictionary(names, tie('value')) as fc.Arbitrary<JsonObject>,
    })).object;
    const paths = fc.array(fc.array(names, { minLength: 1, maxLength: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(objects, paths, (object, wanted) => {
        const escaped = wanted.map((path) => path.map((name) => name.replaceAll(/[\\.]/g, '\\$&')).join('.'));
        const selected = selectFields(object, compileEventFields(escaped));
        for (const path of wanted) {
          const value = propertyAt(object, path);
          if (!isEmptyObject(value)) expect(propertyAt(selected, path)).toEqual(value);
        }
        for (const path of leaves(selected)) {
          expect(propertyAt(object, path)).toEqual(propertyAt(selected, path));
          expect(wanted.some((prefix) => prefix.every((name, index) => path[index] === name))).toBe(true);
        }
      }),
    );
  });
});

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isEmptyObject = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;

/** Paths to all that is no object, or an empty one. */
function leaves(object: JsonObject, prefix: readonly string[] = []): string[][] {
  return Object.entries(object).flatMap(([name, value]) =>
    isObject(value) && !isEmptyObject(value) ? leaves(value, [...prefix, name]) : [[...prefix, name]],
  );
}
