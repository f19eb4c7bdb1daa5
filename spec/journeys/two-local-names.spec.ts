/** One server that serves two names, each with a signing key of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { verifyKeyOf } from '../../src/matrix/crypto/ed25519.ts';
import { verifyEventSignatures } from '../../src/matrix/crypto/event-signatures.ts';
import type { ServerName } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../src/matrix/room-versions/rules.ts';
import { findRoomVersion } from '../../src/matrix/room-versions/table.ts';
import { type LocalServer, LocalServers } from '../../src/platform/local-servers.ts';
import { exactPduOf } from '../../src/rooms/stored-event.ts';
import { openDatabase } from '../../src/storage/open.ts';
import { type SimulatedServer, startWorld, type World } from '../simulation/world.ts';
import { testSigningKey } from '../support/keys.ts';

interface Person {
  readonly userId: string;
  readonly token: string;
}

const [one, two] = ['one.test', 'two.test'].map(
  // The same key id, so that a signature by the wrong key is a wrong signature and not an unknown key.
  (name): LocalServer => ({
    serverName: name as ServerName,
    signingKey: testSigningKey(name),
    oldSigningKeys: [],
  }),
) as [LocalServer, LocalServer];
const password = 'correct horse battery staple';

let folder: string;
let world: World;
let server: SimulatedServer;
let adminToken: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veche-two-names-'));
  world = await startWorld({
    seed: 1,
    folder,
    serverNames: [one.serverName],
    overrides: { localServers: new LocalServers([one, two]) },
  });
  server = world.servers[0]!;
  const { accounts } = server.server;
  const setup = (await accounts.mintFirstAdministratorToken()) ?? '';
  const client = { address: '127.0.0.1', userAgent: undefined };
  ({ accessToken: adminToken } = await accounts.startPage.createFirstAdministrator(setup, 'root', password, client));
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

it('lets people of both names talk in one room, and signs for each with the key of their name', async () => {
  const [anna, boris] = [await person('@anna:one.test'), await person('@boris:two.test')];
  await call(anna, 'PUT', `/profile/${anna.userId}/displayname`, { displayname: 'Anna' });
  await call(boris, 'PUT', `/profile/${boris.userId}/displayname`, { displayname: 'Boris' });
  expect(await call(anna, 'GET', `/profile/${boris.userId}`)).toEqual({ displayname: 'Boris' });
  expect(await call(boris, 'GET', `/profile/${anna.userId}`)).toEqual({ displayname: 'Anna' });

  let roomCount = 0;
  for (const version of ['1', '3', '12'])
    for (const [creator, guest] of [
      [anna, boris],
      [boris, anna],
    ] as const) {
      await meet(creator, guest, version);
      roomCount++;
    }

  await world.close();
  const sent = await storedPdus();
  for (const { pdu, rules } of sent) {
    const [own, other] = String(pdu['sender']).endsWith(':one.test') ? [one, two] : [two, one];
    expect(Object.keys(pdu['signatures'] as JsonObject)).toEqual([own.serverName]);
    const verify = ({ signingKey }: LocalServer) => verifyEventSignatures(pdu, rules, () => verifyKeyOf(signingKey));
    expect(verify(own)).toEqual({ ok: true });
    expect(verify(other)).toMatchObject({ ok: false, serverName: own.serverName });
  }
  const senders = sent.map(({ pdu }) => pdu['sender']);
  expect(senders.filter((sender) => sender === anna.userId).length).toBeGreaterThan(2 * roomCount);
  expect(senders.filter((sender) => sender === boris.userId).length).toBeGreaterThan(2 * roomCount);
});

/** One makes a room and invites the other, who finds it by an alias of the first one's name; both talk, and both hear it. */
async function meet(creator: Person, guest: Person, version: string): Promise<void> {
  const [own, other] = [creator, guest].map(({ userId }) => userId.slice(userId.indexOf(':') + 1));
  const name = `hall-${version}-of-${own}`;
  const body = { room_alias_name: name, room_version: version, preset: 'private_chat', invite: [guest.userId] };
  const roomId = String((await call(creator, 'POST', '/createRoom', body))['room_id']);
  if (findRoomVersion(version)?.roomIdFormat === 'opaque') expect(roomId).toContain(`:${own}`);
  const invited = await call(guest, 'GET', '/sync');
  expect(invited).toMatchObject({ rooms: { invite: { [roomId]: {} } } });
  const alias = `#${name}:${own}`;
  expect(await call(guest, 'POST', `/join/${encodeURIComponent(alias)}`, {})).toEqual({ room_id: roomId });

  const second = encodeURIComponent(`#${name}:${other}`);
  await call(guest, 'PUT', `/directory/room/${second}`, { room_id: roomId });
  const resolved = await call(creator, 'GET', `/directory/room/${second}`);
  expect(resolved['room_id']).toBe(roomId);
  expect(new Set(resolved['servers'] as string[])).toEqual(new Set(['one.test', 'two.test']));

  const message = (text: string): JsonObject => ({ msgtype: 'm.text', body: text });
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message`;
  await call(creator, 'PUT', `${path}/1`, message('from the creator'));
  await call(guest, 'PUT', `${path}/2`, message('from the guest'));
  for (const reader of [creator, guest]) {
    const events = await heard(reader, roomId);
    expect(events.filter(({ type }) => type === 'm.room.message')).toMatchObject([
      { sender: creator.userId, content: { body: 'from the creator' } },
      { sender: guest.userId, content: { body: 'from the guest' } },
    ]);
    const joins = events.filter((event) => event.type === 'm.room.member' && event.state_key === guest.userId);
    expect(joins.at(-1)?.content).toMatchObject({
      membership: 'join',
      displayname: guest.userId.startsWith('@anna') ? 'Anna' : 'Boris',
    });
  }
}

/** Every event of the database that the server left, with the rules of its room. */
async function storedPdus(): Promise<{ readonly pdu: JsonObject; readonly rules: RoomVersionRules }[]> {
  const db = await openDatabase({ engine: 'sqlite', path: server.databasePath }, world.ports);
  try {
    const rows = await db.dynamic((q) =>
      q
        .selectFrom('event')
        .innerJoin('event_body', 'event_body.nid', 'event.nid')
        .innerJoin('room', 'room.room', 'event.room')
        .select(['event_body.body', 'room.version']),
    );
    return rows.map(({ body, version }) => ({ pdu: exactPduOf({ body }), rules: findRoomVersion(version)! }));
  } finally {
    await db.close();
  }
}

interface HeardEvent {
  readonly type: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly content: JsonObject;
}

async function heard(reader: Person, roomId: string): Promise<readonly HeardEvent[]> {
  const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 50 } } }));
  const answer = (await call(reader, 'GET', `/sync?filter=${filter}`)) as {
    readonly rooms?: { readonly join?: Readonly<Record<string, { timeline: { events: HeardEvent[] } }>> };
  };
  return answer.rooms?.join?.[roomId]?.timeline.events ?? [];
}

/** Whoever registers has the main name; administrators make accounts of every local one. */
async function person(userId: string): Promise<Person> {
  const path = `/_synapse/admin/v2/users/${encodeURIComponent(userId)}`;
  const made = await server.request('PUT', path, { token: adminToken, body: { password } });
  expect(made.status).toBe(201);
  const { json } = await server.request('POST', '/_matrix/client/v3/login', {
    body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password },
  });
  expect(json).toMatchObject({ user_id: userId });
  return { userId, token: String(json['access_token']) };
}

async function call({ token }: Person, method: string, path: string, body?: JsonObject): Promise<JsonObject> {
  const request = { token, ...(body === undefined ? {} : { body }) };
  const { status, json } = await server.request(method, `/_matrix/client/v3${path}`, request);
  expect([path, status, json]).toEqual([path, 200, json]);
  return json;
}
