import { beforeEach, describe, expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient } from '../../support/test-client.ts';

const at = (roomId: string, rest: string) => `/rooms/${encodeURIComponent(roomId)}/${rest}`;

describe('upgrading a room over HTTP', () => {
  const running = useLoopbackServer();
  let alice: TestClient;
  let bob: TestClient;
  let roomId: string;

  beforeEach(async () => {
    [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10', name: 'Name' });
    await bob.call('POST', at(roomId, 'join'));
  });

  it('makes a room of the new version, and a tombstone', async () => {
    await bob.call('PUT', `/pushrules/global/room/${encodeURIComponent(roomId)}`, { actions: ['dont_notify'] });
    const request = { new_version: '12', additional_creators: [bob.userId] };
    const { status, json } = await alice.call('POST', at(roomId, 'upgrade'), request);
    const upgraded = String(json['replacement_room']);
    expect([status, json]).toEqual([200, { replacement_room: expect.stringMatching(/^![\w-]{43}$/) as string }]);
    expect((await alice.call('POST', at(roomId, 'upgrade'), request)).json).toEqual(json);
    expect((await alice.call('GET', at(upgraded, 'state/m.room.create/'))).json).toEqual({
      room_version: '12',
      predecessor: { room_id: roomId },
      additional_creators: [bob.userId],
    });
    expect((await bob.call('GET', at(roomId, 'state/m.room.tombstone'))).json).toEqual({
      body: 'This room has been replaced',
      replacement_room: upgraded,
    });
    const message = { msgtype: 'm.text', body: 'x' };
    expect(refusal(await bob.call('PUT', at(roomId, 'send/m.room.message/1'), message))).toEqual([403, 'M_FORBIDDEN']);
    expect((await bob.call('POST', at(upgraded, 'join'))).status).toBe(200);
    expect((await bob.call('PUT', at(upgraded, 'send/m.room.message/1'), message)).status).toBe(200);
    const rule = await bob.call('GET', `/pushrules/global/room/${encodeURIComponent(upgraded)}`);
    expect(rule.json).toMatchObject({ rule_id: upgraded, actions: ['dont_notify'] });
    expect((await bob.call('GET', at(upgraded, 'state/m.room.name'))).json).toEqual({ name: 'Name' });
  });

  it('refuses what the specification does, and makes nothing then', async () => {
    const path = at(roomId, 'upgrade');
    const request = { new_version: '12' };
    expect(refusal(await TestClient.nobody(running).call('POST', path, request))).toEqual([401, 'M_MISSING_TOKEN']);
    expect(refusal(await bob.call('POST', path, request))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await alice.call('POST', at('!nowhere:localhost', 'upgrade'), request))).toEqual([
      403,
      'M_FORBIDDEN',
    ]);
    expect(refusal(await alice.call('POST', at('room', 'upgrade'), request))).toEqual([400, 'M_INVALID_PARAM']);
    for (const version of ['13', '', 'org.example.none'])
      expect(refusal(await alice.call('POST', path, { new_version: version }))).toEqual([
        400,
        'M_UNSUPPORTED_ROOM_VERSION',
      ]);
    expect(refusal(await alice.call('POST', path, {}))).toEqual([400, 'M_MISSING_PARAM']);
    for (const wrong of [{ new_version: 12 }, { ...request, additional_creators: 'x' }])
      expect(refusal(await alice.call('POST', path, wrong))).toEqual([400, 'M_BAD_JSON']);
    const creators = { ...request, additional_creators: ['alice'] };
    expect(refusal(await alice.call('POST', path, creators))).toEqual([400, 'M_BAD_JSON']);
    for (const person of [alice, bob])
      expect((await person.call('GET', '/joined_rooms')).json).toEqual({ joined_rooms: [roomId] });
    expect((await alice.call('GET', at(roomId, 'state/m.room.tombstone'))).status).toBe(404);
  });
});
