import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventFilter, parseRoomEventFilter } from '../../../src/matrix/filters/event-filter.ts';
import {
  includesRoom,
  matchesEventFilter,
  matchesRoomEventFilter,
} from '../../../src/matrix/filters/matches-filter.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';

const event = (type: string, more: { sender?: string; content?: JsonObject } = {}) => ({ type, content: {}, ...more });
const passes = (filter: JsonObject, tested: ReturnType<typeof event>) =>
  matchesEventFilter(parseEventFilter(filter, 'filter'), tested);
const roomPasses = (filter: JsonObject, tested: ReturnType<typeof event>) =>
  matchesRoomEventFilter(parseRoomEventFilter(filter, 'filter'), tested);

describe('types', () => {
  it.each([
    ['m.room.message', 'm.room.message', true],
    ['m.room.message', 'm.room.messages', false],
    ['m.room.*', 'm.room.message', true],
    ['m.room.*', 'm.room.', true],
    ['m.room.*', 'm.room', false],
    ['*', '', true],
    ['**', 'anything', true],
    ['*.a', 'org.example.a', true],
    ['*.a', 'org.example.ab', false],
    ['m.*.b', 'm.a.b', true],
    ['m.*.b', 'm.b', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'axbxc', true],
    ['a*b*c', 'axc', false],
    ['a*bc*c', 'abc', false],
    ['a*bc*c', 'abcc', true],
    ['m.room.+', 'm.room.m', false],
    ['m.room.messag?', 'm.room.message', false],
    ['', '', true],
    ['', 'x', false],
  ])('%j and %j: %s', (pattern, type, expected) => {
    expect(passes({ types: [pattern] }, event(type))).toBe(expected);
    expect(passes({ not_types: [pattern] }, event(type))).toBe(!expected);
  });

  it('agree with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const plain = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(text, plain, (pattern, type) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`);
        expect(passes({ types: [pattern] }, event(type))).toBe(expression.test(type));
      }),
      { numRuns: 2_000 },
    );
  });

  it('need no time that grows with the wildcards', () => {
    const pattern = `${'a*'.repeat(5_000)}b`;
    expect(passes({ types: [pattern] }, event('a'.repeat(20_000)))).toBe(false);
  });
});

describe('lists', () => {
  const alice = '@alice:test';
  it('that are absent include everything, empty ones nothing', () => {
    expect(passes({}, event('a', { sender: alice }))).toBe(true);
    expect(passes({ types: null, senders: null }, event('a', { sender: alice }))).toBe(true);
    expect(passes({ types: [] }, event('a'))).toBe(false);
    expect(passes({ senders: [] }, event('a', { sender: alice }))).toBe(false);
    expect(passes({ not_types: [], not_senders: [] }, event('a', { sender: alice }))).toBe(true);
  });
  it('of what is not wanted go first', () => {
    expect(passes({ types: ['a'], not_types: ['a'] }, event('a'))).toBe(false);
    expect(passes({ senders: [alice], not_senders: [alice] }, event('a', { sender: alice }))).toBe(false);
  });
  it('of senders are compared exactly, and leave out what nobody sent', () => {
    expect(passes({ senders: [alice] }, event('a', { sender: alice }))).toBe(true);
    expect(passes({ senders: [alice] }, event('a', { sender: '@Alice:test' }))).toBe(false);
    expect(passes({ senders: [alice] }, event('a'))).toBe(false);
    expect(passes({ not_senders: [alice] }, event('a'))).toBe(true);
  });
  it('of rooms work the same way', () => {
    expect(includesRoom({}, '!a:test')).toBe(true);
    expect(includesRoom({ rooms: ['!a:test'] }, '!a:test')).toBe(true);
    expect(includesRoom({ rooms: [] }, '!a:test')).toBe(false);
    expect(includesRoom({ rooms: ['!a:test'], notRooms: ['!a:test'] }, '!a:test')).toBe(false);
    expect(includesRoom({ notRooms: ['!b:test'] }, '!a:test')).toBe(true);
  });
});

describe('contains_url', () => {
  it.each([
    [{ url: 'mxc://test/1' }, true],
    [{ url: '' }, true],
    [{}, false],
    [{ url: 7 }, false],
    [{ url: null }, false],
    [{ info: { url: 'x' } }, false],
  ])('sees in %j: %s', (content, has) => {
    expect(roomPasses({ contains_url: true }, event('a', { content }))).toBe(has);
    expect(roomPasses({ contains_url: false }, event('a', { content }))).toBe(!has);
    expect(roomPasses({}, event('a', { content }))).toBe(true);
  });
});
