import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, succeeded } from '../../support/test-client.ts';

const running = useLoopbackServer();
const search = (client: TestClient, roomEvents: JsonObject, nextBatch?: string) =>
  client.post(`/search${nextBatch === undefined ? '' : `?next_batch=${nextBatch}`}`, {
    search_categories: { room_events: roomEvents },
  });

it('answers every part of a search', async () => {
  const alice = await TestClient.register(running, 'alice');
  const roomId = await alice.createRoom({ name: 'Word', preset: 'public_chat' });
  const first = await alice.say(roomId, 'word one');
  const second = await alice.say(roomId, 'word two');
  const request = {
    search_term: 'word',
    keys: ['content.body'],
    filter: { limit: 1, rooms: [roomId] },
    order_by: 'recent',
    event_context: { before_limit: 1, after_limit: 1, include_profile: true },
    include_state: true,
    groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] },
  };
  const page = await succeeded(search(alice, request));
  expect(page).toMatchObject({
    search_categories: {
      room_events: {
        count: 2,
        highlights: ['word'],
        results: [
          {
            rank: expect.any(Number) as number,
            result: { event_id: second, room_id: roomId, sender: alice.userId, content: { body: 'word two' } },
            context: {
              events_before: [{ event_id: first }],
              events_after: [],
              profile_info: { [alice.userId]: { displayname: 'alice' } },
            },
          },
        ],
        groups: {
          room_id: { [roomId]: { results: [second], order: 0 } },
          sender: { [alice.userId]: { results: [second], order: 0 } },
        },
      },
    },
  });
  const found = (page['search_categories'] as { room_events: { next_batch: string; state: JsonObject } }).room_events;
  expect(found.state[roomId]).toContainEqual(expect.objectContaining({ type: 'm.room.name' }));
  expect(await succeeded(search(alice, request, found.next_batch))).toMatchObject({
    search_categories: { room_events: { results: [{ result: { event_id: first } }] } },
  });
  const defaults = await succeeded(search(alice, { search_term: 'WORD' }));
  expect(defaults).toMatchObject({ search_categories: { room_events: { count: 3 } } });
  expect(await succeeded(alice.post('/search', { search_categories: {} }))).toEqual({ search_categories: {} });
});

it('refuses what is no search', async () => {
  const alice = await TestClient.register(running, 'alice');
  const badJson = [400, 'M_BAD_JSON'];
  const invalid = [400, 'M_INVALID_PARAM'];
  expect(refusal(await alice.post('/search', {}))).toEqual([400, 'M_MISSING_PARAM']);
  expect(refusal(await search(alice, {}))).toEqual([400, 'M_MISSING_PARAM']);
  for (const [wrong, answer] of [
    [{ search_term: 1 }, badJson],
    [{ order_by: 'worst' }, invalid],
    [{ keys: ['content.secret'] }, invalid],
    [{ filter: { rooms: 'all' } }, badJson],
    [{ event_context: { before_limit: -1 } }, invalid],
    [{ groupings: { group_by: [{ key: 'type' }] } }, invalid],
    [{ search_term: 'a'.repeat(10_000) }, invalid],
  ] as const)
    expect(refusal(await search(alice, { search_term: 'word', ...wrong })), JSON.stringify(wrong)).toEqual(answer);
  expect(refusal(await search(alice, { search_term: 'word' }, 'nonsense'))).toEqual(invalid);
});
