import { beforeEach, describe, expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient } from '../../support/test-client.ts';

const path = (alias: string) => `/directory/room/${encodeURIComponent(alias)}`;
const here = '#здесь/我:localhost';

describe('room aliases over HTTP', () => {
  const running = useLoopbackServer();
  let alice: TestClient;
  let bob: TestClient;
  let roomId: string;

  beforeEach(async () => {
    [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    roomId = await alice.createRoom();
  });

  const aliasesPath = () => `/rooms/${encodeURIComponent(roomId)}/aliases`;

  it('are set, found without an account, listed and removed', async () => {
    expect((await alice.call('GET', aliasesPath())).json).toEqual({ aliases: [] });
    const set = await alice.call('PUT', path(here), { room_id: roomId });
    expect([set.status, set.json]).toEqual([200, {}]);
    expect((await TestClient.nobody(running).call('GET', path(here))).json).toEqual({
      room_id: roomId,
      servers: ['localhost'],
    });
    expect((await alice.call('GET', aliasesPath())).json).toEqual({ aliases: [here] });
    const joined = await bob.call('POST', `/join/${encodeURIComponent(here)}`);
    expect(refusal(joined)).toEqual([403, 'M_FORBIDDEN']);
    const removed = await alice.call('DELETE', path(here));
    expect([removed.status, removed.json]).toEqual([200, {}]);
    expect(refusal(await TestClient.nobody(running).call('GET', path(here)))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await alice.call('DELETE', path(here)))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('are refused with the error of the specification', async () => {
    const body = { room_id: roomId };
    expect(refusal(await TestClient.nobody(running).call('PUT', path(here), body))).toEqual([401, 'M_MISSING_TOKEN']);
    expect(refusal(await bob.call('PUT', path(here), body))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await alice.call('PUT', path('#a:example.org'), body))).toEqual([403, 'M_FORBIDDEN']);
    for (const wrong of ['here:localhost', '#here', `#${'x'.repeat(250)}:localhost`, '#:localhost', '#a\0:localhost'])
      expect([wrong, ...refusal(await alice.call('PUT', path(wrong), body))]).toEqual([wrong, 400, 'M_INVALID_PARAM']);
    expect(refusal(await TestClient.nobody(running).call('GET', path('here')))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await alice.call('PUT', path(here), {}))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await alice.call('PUT', path(here), { room_id: 7 }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await alice.call('PUT', path(here), { room_id: 'room' }))).toEqual([400, 'M_INVALID_PARAM']);
    await alice.call('PUT', path(here), body);
    expect(refusal(await alice.call('PUT', path(here), body))).toEqual([409, 'M_UNKNOWN']);
    expect(refusal(await bob.call('DELETE', path(here)))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await bob.call('GET', aliasesPath()))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('are taken once, in createRoom too, and belong to administrators as well', async () => {
    const admin = await TestClient.registerAdministrator(running);
    const room = await alice.createRoom({ room_alias_name: 'taken', visibility: 'public' });
    expect((await bob.call('GET', path('#taken:localhost'))).json['room_id']).toBe(room);
    const again = { room_alias_name: 'taken' };
    expect(refusal(await bob.call('POST', '/createRoom', again))).toEqual([400, 'M_ROOM_IN_USE']);
    for (const wrong of ['', 'a:b', 'x'.repeat(250)])
      expect(refusal(await bob.call('POST', '/createRoom', { room_alias_name: wrong }))).toEqual([
        400,
        'M_INVALID_PARAM',
      ]);
    expect((await admin.call('DELETE', path('#taken:localhost'))).status).toBe(200);
    await bob.createRoom(again);
  });

  it('stand in m.room.canonical_alias only if they lead to the room', async () => {
    const state = `/rooms/${encodeURIComponent(roomId)}/state/m.room.canonical_alias`;
    expect(refusal(await alice.call('PUT', state, { alias: here }))).toEqual([400, 'M_BAD_ALIAS']);
    expect(refusal(await alice.call('PUT', state, { alias: '%x:localhost' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await alice.call('PUT', state, { alt_aliases: [7] }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await alice.call('PUT', state, { alt_aliases: 'x' }))).toEqual([400, 'M_BAD_JSON']);
    await alice.call('PUT', path(here), { room_id: roomId });
    expect((await alice.call('PUT', state, { alias: here, alt_aliases: [here] })).status).toBe(200);
    await alice.call('DELETE', path(here));
    expect((await alice.call('GET', state)).json).toEqual({});
    expect(refusal(await alice.call('PUT', state.replace('canonical_alias', 'create'), {}))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
  });
});
