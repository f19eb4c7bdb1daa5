import { expect, it } from 'vitest';
import type { RoomId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { summaryOf } from '../../../src/rooms/directory/room-summary.ts';
import { searchTermOf, searchTextOf } from '../../../src/rooms/directory/search-text.ts';

const roomId = '!room:test' as RoomId;
const summary = (contents: Readonly<Record<string, JsonObject>>) =>
  summaryOf(roomId, 3, (type) => contents[type] ?? {});
const bare = {
  room_id: roomId,
  num_joined_members: 3,
  world_readable: false,
  guest_can_join: false,
  join_rule: 'invite',
};

it('has what the room says of itself', () => {
  expect(summary({})).toEqual(bare);
  expect(
    summary({
      'm.room.create': { type: 'm.space' },
      'm.room.name': { name: 'Name' },
      'm.room.topic': { topic: 'Topic' },
      'm.room.avatar': { url: 'mxc://test/a' },
      'm.room.canonical_alias': { alias: '#a:test', alt_aliases: ['#b:test'] },
      'm.room.join_rules': { join_rule: 'knock' },
      'm.room.history_visibility': { history_visibility: 'world_readable' },
      'm.room.guest_access': { guest_access: 'can_join' },
    }),
  ).toEqual({
    room_id: roomId,
    num_joined_members: 3,
    world_readable: true,
    guest_can_join: true,
    join_rule: 'knock',
    name: 'Name',
    topic: 'Topic',
    avatar_url: 'mxc://test/a',
    canonical_alias: '#a:test',
    room_type: 'm.space',
  });
});

it('takes wrong types and empty texts for nothing', () => {
  for (const value of [7, null, '', [], {}, true])
    expect(
      summary({
        'm.room.create': { type: value },
        'm.room.name': { name: value },
        'm.room.topic': { topic: value, 'm.topic': value },
        'm.room.avatar': { url: value },
        'm.room.canonical_alias': { alias: value },
        'm.room.join_rules': { join_rule: value },
        'm.room.history_visibility': { history_visibility: value },
        'm.room.guest_access': { guest_access: value },
      }),
    ).toEqual(bare);
});

it('has the plain text of a rich topic', () => {
  const topicOf = (content: JsonObject) => summary({ 'm.room.topic': content }).topic;
  const html = { mimetype: 'text/html', body: '<b>rich</b>' };
  const rich = (...representations: JsonObject[]) => ({ topic: 'plain', 'm.topic': { 'm.text': representations } });
  expect(topicOf(rich(html, { body: 'rich' }))).toBe('rich');
  expect(topicOf(rich(html, { body: 'rich', mimetype: 'text/plain' }))).toBe('rich');
  expect(topicOf(rich(html))).toBe('plain');
  expect(topicOf({ topic: 'plain', 'm.topic': { 'm.text': 7 } })).toBe('plain');
  expect(topicOf({ 'm.topic': { 'm.text': [{ body: 'rich' }] } })).toBeUndefined();
});

it('is found by name, topic and alias, whatever their case and composition', () => {
  const text = searchTextOf({ ...bare, name: 'Un Nom FRANÇAIS', topic: 'Вече', canonical_alias: '#Agora:test' });
  const finds = (term: string) => text.includes(searchTermOf(term) ?? 'no term');
  for (const term of ['franc\u0327ais', ' nom ', 'ВЕЧЕ', '#agora', 'agora:TEST'])
    expect([term, finds(term)]).toEqual([term, true]);
  expect(finds('français вече')).toBe(false);
  for (const term of [undefined, '', '  ']) expect(searchTermOf(term)).toBeUndefined();
  expect(searchTextOf({ ...bare, name: 'x'.repeat(70_000) })).toHaveLength(1_000);
});
