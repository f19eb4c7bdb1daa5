import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePropertyPath, propertyAt } from '../../../src/matrix/json/property-path.ts';

test.each([
  ['type', ['type']],
  ['content.body', ['content', 'body']],
  ['content.m\\.relates_to', ['content', 'm.relates_to']],
  ['content.m\\\\foo', ['content', 'm\\foo']],
  ['content.m\\x', ['content', 'm\\x']],
  ['content.m\\', ['content', 'm\\']],
  ['', ['']],
  ['a..b', ['a', '', 'b']],
])('%s', (text, names) => {
  expect(parsePropertyPath(text)).toEqual(names);
});

test('escaped names come back', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (names) => {
      const text = names.map((name) => name.replaceAll('\\', '\\\\').replaceAll('.', '\\.')).join('.');
      expect(parsePropertyPath(text)).toEqual(names);
    }),
  );
});

test('only own properties of objects are followed', () => {
  const event = { content: { list: ['a'], text: 'b', none: null } };
  expect(propertyAt(event, ['content', 'text'])).toBe('b');
  expect(propertyAt(event, ['content', 'none'])).toBeNull();
  expect(propertyAt(event, ['content', 'list', '0'])).toBeUndefined();
  expect(propertyAt(event, ['content', 'text', 'length'])).toBeUndefined();
  expect(propertyAt(event, ['constructor', 'name'])).toBeUndefined();
  expect(propertyAt(event, ['content', 'none', 'x'])).toBeUndefined();
});
