/** Who and what the requests of bad-input.spec.ts are about: people, rooms, events, and what each of them has. */
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import type { LoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests } from '../../support/test-accounts.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

export interface Person {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  /** Of a second device, which only looks. */
  readonly watcher: string;
}

export interface World {
  readonly url: string;
  readonly administrator: string;
  /** Sends the requests. Creator of `room`. */
  readonly alice: Person;
  /** A member of `room`. */
  readonly bob: Person;
  /** Creator of `foreignRoom`, in which nobody else is. */
  readonly carol: Person;
  readonly room: string;
  readonly event: string;
  readonly foreignRoom: string;
  readonly foreignEvent: string;
  readonly filterId: string;
  /** The version of alice's key backup. */
  readonly keyBackup: string;
  /** Of a session that has ended. */
  readonly endedToken: string;
  /** What the world looks like to those in it, without what passes by itself. */
  snapshot(): Promise<JsonValue>;
}

const v3 = '/_matrix/client/v3';
const path = encodeURIComponent;

/** `suffix` tells the people of several worlds on one server apart. */
export async function makeWorld(server: LoopbackServer, suffix: string, administrator: string): Promise<World> {
  const { url } = server;
  const call = async (method: string, target: string, token?: string, body?: JsonObject): Promise<JsonObject> =>
    expectDone(
      await requestJson(url, method, v3 + target, {
        ...(token === undefined ? {} : { token }),
        ...(body === undefined ? {} : { body }),
      }),
      target,
    );
  const logIn = async (user: string): Promise<string> => {
    const identifier = { type: 'm.id.user', user };
    const body = { type: 'm.login.password', identifier, password: passwordOfTests };
    return text((await call('POST', '/login', undefined, body))['access_token']);
  };
  const register = async (localpart: string): Promise<Person> => {
    const username = localpart + suffix;
    const auth = { type: 'm.login.dummy' };
    const json = await call('POST', '/register', undefined, { auth, username, password: passwordOfTests });
    const [userId, deviceId, token] = [text(json['user_id']), text(json['device_id']), text(json['access_token'])];
    return { userId, deviceId, token, watcher: await logIn(username) };
  };
  const makeRoom = async ({ token }: Person): Promise<string> =>
    text((await call('POST', '/createRoom', token, { preset: 'private_chat', name: 'Room' }))['room_id']);
  const say = async ({ token }: Person, room: string): Promise<string> => {
    const content = { msgtype: 'm.text', body: 'Hello' };
    return text((await call('PUT', `/rooms/${path(room)}/send/m.room.message/first`, token, content))['event_id']);
  };
  const keepFilter = async ({ token, userId }: Person): Promise<string> =>
    text(
      (await call('POST', `/user/${path(userId)}/filter`, token, { room: { timeline: { limit: 5 } } }))['filter_id'],
    );

  const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')];
  const [room, foreignRoom] = [await makeRoom(alice), await makeRoom(carol)];
  await call('POST', `/rooms/${path(room)}/invite`, alice.token, { user_id: bob.userId });
  await call('POST', `/rooms/${path(room)}/join`, bob.token, {});
  await call('PUT', `/user/${path(alice.userId)}/account_data/org.example.kept`, alice.token, { kept: true });
  const backup = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} };
  const keyBackup = text((await call('POST', '/room_keys/version', alice.token, backup))['version']);
  const endedToken = await logIn(`alice${suffix}`);
  await call('POST', '/logout', endedToken, {});
  return {
    url,
    administrator,
    alice,
    bob,
    carol,
    room,
    event: await say(alice, room),
    foreignRoom,
    foreignEvent: await say(carol, foreignRoom),
    filterId: await keepFilter(alice),
    keyBackup,
    endedToken,
    async snapshot() {
      const views = [alice, bob, carol].map(async ({ watcher, userId }) => ({
        sync: lasting(await call('GET', `/sync?filter=${path(everything)}&full_state=true`, watcher)),
        devices: withoutSightings(await call('GET', '/devices', watcher)),
        profile: await call('GET', `/profile/${path(userId)}`, watcher),
      }));
      const backups = await call('GET', '/room_keys/version', alice.watcher);
      return [...(await Promise.all(views)), backups];
    },
  };
}

const everything = JSON.stringify({
  room: { timeline: { limit: 100 }, ephemeral: { not_types: ['m.typing'] }, include_leave: true },
  presence: { not_types: ['m.presence'] },
});

/** What the next answer of /sync says too when nothing happens. */
function lasting(sync: JsonObject): JsonValue {
  const { next_batch: _token, presence: _presence, ...rest } = sync;
  return withoutAges(rest);
}

function withoutAges(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(withoutAges);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const fields = Object.entries(value).filter(([name]) => name !== 'age');
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutAges(field)]));
}

/** Looking at one's devices is noted by one of them. */
function withoutSightings({ devices }: JsonObject): JsonValue {
  return (devices as JsonObject[]).map(({ last_seen_ts: _time, last_seen_ip: _address, ...device }) => device);
}

/** The answer's body. Throws when it is a refusal. */
function expectDone(response: TestResponse, what: string): JsonObject {
  if (response.status !== 200) throw new Error(`${what}: ${response.status} ${response.text}`);
  return response.json;
}

const text = (value: JsonValue | undefined): string => {
  if (typeof value !== 'string') throw new Error(`no text: ${JSON.stringify(value)}`);
  return value;
};

/** The server's first administrator. */
export async function makeAdministrator({ server }: LoopbackServer): Promise<string> {
  const token = (await server.accounts.mintFirstAdministratorToken()) ?? '';
  const client = { address: '127.0.0.1', userAgent: undefined };
  return (await server.accounts.startPage.createFirstAdministrator(token, 'admin', passwordOfTests, client))
    .accessToken;
}
