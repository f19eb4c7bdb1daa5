import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';

describe('the deprecated ways to follow rooms', () => {
  const running = useLoopbackServer();

  const start = async () => {
    const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    const open = await alice.createRoom({
      preset: 'public_chat',
      visibility: 'public',
      initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } }],
    });
    const closed = await alice.createRoom({ preset: 'private_chat' });
    return { alice, bob, open, closed };
  };
  const list = (value: JsonValue | undefined) => value as readonly JsonObject[];
  const bodies = (events: JsonValue | undefined) =>
    list(events).flatMap((event) => (event['content'] as JsonObject)['body'] ?? []);

  it('GET /initialSync, and the stream from its end', async () => {
    const { alice, bob, open, closed } = await start();
    await alice.say(open, 'one');
    await alice.say(open, 'two');
    await succeeded(alice.put(`/user/${alice.userId}${roomPath(open)}/tags/u.work`, { order: 0.5 }));
    await succeeded(alice.put(`/user/${alice.userId}/account_data/m.direct`, { [bob.userId]: [closed] }));
    await succeeded(alice.post(`${roomPath(closed)}/invite`, { user_id: bob.userId, reason: 'come' }));
    const left = await alice.createRoom({ preset: 'public_chat' });
    await succeeded(alice.post(`${roomPath(left)}/leave`));

    const all = await succeeded(alice.get('/initialSync', { limit: '2' }));
    expect(all['presence']).toEqual(expect.any(Array));
    expect(list(all['account_data'])).toContainEqual({ type: 'm.direct', content: { [bob.userId]: [closed] } });
    expect(list(all['rooms']).map((room) => [room['room_id'], room['membership'], room['visibility']])).toEqual([
      [open, 'join', 'public'],
      [closed, 'join', 'private'],
    ]);
    const room = list(all['rooms'])[0] ?? {};
    const messages = room['messages'] as JsonObject;
    expect(bodies(messages['chunk'])).toEqual(['one', 'two']);
    expect(list(messages['chunk'])[0]).toMatchObject({ room_id: open, sender: alice.userId });
    expect(list(room['state']).map((event) => event['type'])).toEqual(
      expect.arrayContaining(['m.room.create', 'm.room.member', 'm.room.join_rules', 'm.room.power_levels']),
    );
    expect(list(room['state']).every((event) => event['room_id'] === open)).toBe(true);
    expect(room['account_data']).toEqual([{ type: 'm.tag', content: { tags: { 'u.work': { order: 0.5 } } } }]);
    const earlier = { from: String(messages['start']), dir: 'b' };
    expect(bodies((await succeeded(alice.get(`${roomPath(open)}/messages`, earlier)))['chunk'])).toEqual([]);
    const archived = await succeeded(alice.get('/initialSync', { archived: 'true' }));
    expect(list(archived['rooms']).map((one) => [one['room_id'], one['membership']])).toContainEqual([left, 'leave']);

    const invited = list((await succeeded(bob.get('/initialSync')))['rooms']);
    expect(invited).toEqual([
      {
        room_id: closed,
        membership: 'invite',
        visibility: 'private',
        invite: expect.objectContaining({
          type: 'm.room.member',
          room_id: closed,
          event_id: expect.stringMatching(/^\$/),
          content: { membership: 'invite', displayname: 'bob', reason: 'come' },
        }),
      },
    ]);

    const from = String(all['end']);
    const waiting = succeeded(alice.get('/events', { from, timeout: '60000' }));
    await alice.say(open, 'three');
    const streamed = await waiting;
    expect(bodies(streamed['chunk'])).toEqual(['three']);
    expect((await succeeded(alice.get('/sync', { since: String(streamed['end']) })))['rooms']).toBeUndefined();
    expect(refusal(await alice.get('/events', { from: 'nonsense' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await alice.get('/events', { from: 's1', room_id: 'nonsense' }))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('GET /rooms/{roomId}/initialSync and /events peek without joining', async () => {
    const { alice, bob, open, closed } = await start();
    await alice.say(open, 'one');
    const room = await succeeded(bob.get(`${roomPath(open)}/initialSync`));
    expect(room).toMatchObject({ room_id: open, visibility: 'public', account_data: [] });
    expect(room).not.toHaveProperty('membership');
    const messages = room['messages'] as JsonObject;
    expect(bodies(messages['chunk'])).toEqual(['one']);
    // Nothing from before everybody might read.
    expect(list(messages['chunk'])[0]).toMatchObject({ type: 'm.room.history_visibility', room_id: open });
    const from = String(messages['end']);
    const waiting = succeeded(bob.get('/events', { from, room_id: open, timeout: '60000' }));
    await alice.say(closed, 'not for bob');
    await alice.say(open, 'two');
    const { chunk } = await waiting;
    expect(list(chunk).map((event) => [event['room_id'], (event['content'] as JsonObject)['body']])).toEqual([
      [open, 'two'],
    ]);
    expect(refusal(await bob.get(`${roomPath(closed)}/initialSync`))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await bob.get('/events', { room_id: closed, timeout: '0' }))).toEqual([403, 'M_FORBIDDEN']);
    const member = await succeeded(alice.get(`${roomPath(closed)}/initialSync`, { limit: '1' }));
    expect(member).toMatchObject({ membership: 'join', visibility: 'private' });
    expect(bodies((member['messages'] as JsonObject)['chunk'])).toEqual(['not for bob']);
  });

  it('a peek ends with the session', async () => {
    const { bob, open } = await start();
    const waiting = bob.get('/events', { room_id: open, timeout: '60000' });
    await succeeded(bob.post('/logout'));
    expect(refusal(await waiting)[0]).toBe(401);
  });

  it('GET /events/{eventId} finds what the user may see', async () => {
    const { alice, bob, open, closed } = await start();
    const [seen, hidden] = [await alice.say(open, 'one'), await alice.say(closed, 'two')];
    const path = (eventId: string) => `/events/${encodeURIComponent(eventId)}`;
    expect(await succeeded(bob.get(path(seen)))).toMatchObject({ event_id: seen, room_id: open });
    expect(refusal(await bob.get(path(hidden)))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await bob.get(path('$nowhere')))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await bob.get(path('nonsense')))).toEqual([400, 'M_INVALID_PARAM']);
  });
});
