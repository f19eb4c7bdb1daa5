/** What a whole server refuses, request by request, with the specification's error, and without a trace in the room. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { refusal } from '../support/test-accounts.ts';
import { requestJson } from '../support/test-server.ts';
import { makeAdministrator, makeWorld, type World } from './bad-input/world.ts';

let server: LoopbackServer;
let world: World;
beforeAll(async () => {
  server = await startLoopbackServer();
  world = await makeWorld(server, '', await makeAdministrator(server));
});
afterAll(() => server.close());

const v3 = '/_matrix/client/v3';
const path = encodeURIComponent;
const room = (): string => `${v3}/rooms/${path(world.room)}`;

interface Row {
  readonly method: string;
  readonly target: string;
  readonly body?: JsonObject | string;
  /** Absent: alice, who may do everything in the room. */
  readonly by?: 'bob' | 'nobody';
}
type Refused = readonly [what: string, row: () => Row, status: number, errcode: string];

const put = (target: string, body: JsonObject | string, by?: Row['by']): Row => ({
  method: 'PUT',
  target,
  body,
  ...(by === undefined ? {} : { by }),
});
const post = (target: string, body: JsonObject | string, by?: Row['by']): Row => ({
  ...put(target, body, by),
  method: 'POST',
});
const get = (target: string): Row => ({ method: 'GET', target });
const state = (type: string, key: string): string => `${room()}/state/${type}/${path(key)}`;
const send = (type = 'm.room.message'): string => `${room()}/send/${type}/once`;

/** The content of an event that has as many bytes when `padding` characters are added. */
const padded = (padding: number): JsonObject => ({ msgtype: 'm.text', body: 'x'.repeat(padding) });

function answerTo({ method, target, body, by }: Row) {
  const token = by === 'nobody' ? {} : { token: by === 'bob' ? world.bob.token : world.alice.token };
  if (body === undefined) return requestJson(server.url, method, target, token);
  return requestJson(server.url, method, target, {
    ...token,
    ...(typeof body === 'string' ? { rawBody: body } : { body }),
  });
}

async function expectRefused(row: Row, status: number, errcode: string): Promise<void> {
  const before = await world.snapshot();
  expect(refusal(await answerTo(row))).toEqual([status, errcode]);
  expect(await world.snapshot()).toEqual(before);
}

const unknownPaths: readonly Refused[] = [
  ['an unknown path', () => get('/_matrix/client/v3/nothing'), 404, 'M_UNRECOGNIZED'],
  ['an unknown version', () => get('/_matrix/client/v77/sync'), 404, 'M_UNRECOGNIZED'],
  ['an unknown prefix', () => get('/_matrix/nothing'), 404, 'M_UNRECOGNIZED'],
  ['a path with one segment more', () => get(`${v3}/sync/now`), 404, 'M_UNRECOGNIZED'],
  ['a method that a path has not', () => post(`${v3}/sync`, {}), 405, 'M_UNRECOGNIZED'],
  ['a method that nobody has', () => ({ method: 'PATCH', target: `${v3}/createRoom` }), 405, 'M_UNRECOGNIZED'],
];

const events: readonly Refused[] = [
  ['an event over 65,536 bytes', () => put(send(), padded(65_536)), 413, 'M_TOO_LARGE'],
  ['an event that only its other fields make too large', () => put(send(), padded(65_400)), 413, 'M_TOO_LARGE'],
  ['a state event over 65,536 bytes', () => put(state('a.b', ''), padded(65_536)), 413, 'M_TOO_LARGE'],
  ['a body over the limit', () => put(send(), padded(4 * 1024 * 1024)), 413, 'M_TOO_LARGE'],
  ['a body over the limit of strangers', () => post(`${v3}/login`, padded(70_000), 'nobody'), 413, 'M_TOO_LARGE'],
  ['a float', () => put(send(), '{"body":1.5}'), 400, 'M_BAD_JSON'],
  ['a float deep down', () => put(send(), '{"a":[{"b":{"c":[1.5]}}]}'), 400, 'M_BAD_JSON'],
  ['a float of a whole value', () => put(send(), '{"body":1.0e0,"x":0.5}'), 400, 'M_BAD_JSON'],
  ['a number above 2^53 - 1', () => put(send(), '{"body":9007199254740992}'), 400, 'M_BAD_JSON'],
  ['a number below -(2^53 - 1)', () => put(send(), '{"body":-9007199254740992}'), 400, 'M_BAD_JSON'],
  ['a float in state', () => put(state('a.b', ''), '{"a":0.1}'), 400, 'M_BAD_JSON'],
  ['a float in a redaction', () => put(`${room()}/redact/${world.event}/t`, '{"a":0.1}'), 400, 'M_BAD_JSON'],
  ['a float in a membership', () => post(`${room()}/join`, '{"org.example":0.1}'), 400, 'M_BAD_JSON'],
  ['a depth bomb', () => put(send(), `{"a":${'['.repeat(200)}${']'.repeat(200)}}`), 400, 'M_BAD_JSON'],
  ['a key that comes twice', () => put(send(), '{"body":"a","body":"b"}'), 400, 'M_BAD_JSON'],
  ['half of a surrogate pair', () => put(send(), '{"body":"\\udc00"}'), 400, 'M_BAD_JSON'],
  ['an event type over 255 bytes', () => put(send('a'.repeat(256)), {}), 400, 'M_INVALID_PARAM'],
  ['a state key over 255 bytes', () => put(state('a.b', 'a'.repeat(256)), {}), 400, 'M_INVALID_PARAM'],
  ['an event id over 255 bytes', () => get(`${room()}/event/$${'a'.repeat(255)}`), 400, 'M_INVALID_PARAM'],
];

const powers = (users: JsonObject): JsonObject => ({ users, users_default: 0 });

const stateChanges: readonly Refused[] = [
  ['a second create event', () => put(state('m.room.create', ''), {}), 400, 'M_INVALID_PARAM'],
  ['a create event sent as a message', () => put(send('m.room.create'), {}), 403, 'M_FORBIDDEN'],
  ['a name, by a member without power', () => put(state('m.room.name', ''), { name: 'x' }, 'bob'), 403, 'M_FORBIDDEN'],
  [
    'power for oneself',
    () => put(state('m.room.power_levels', ''), powers({ [world.bob.userId]: 100 }), 'bob'),
    403,
    'M_FORBIDDEN',
  ],
  [
    'power levels that are no integers',
    () => put(state('m.room.power_levels', ''), { users: { [world.bob.userId]: '50' } }),
    403,
    'M_FORBIDDEN',
  ],
  [
    'a power level of a creator',
    () => put(state('m.room.power_levels', ''), powers({ [world.alice.userId]: 100 })),
    400,
    'M_INVALID_PARAM',
  ],
  ["another's state key", () => put(state('a.b', world.alice.userId), {}, 'bob'), 403, 'M_FORBIDDEN'],
  [
    'an unknown membership',
    () => put(state('m.room.member', world.alice.userId), { membership: 'x' }),
    403,
    'M_FORBIDDEN',
  ],
  ['a membership without content', () => put(state('m.room.member', world.alice.userId), {}), 403, 'M_FORBIDDEN'],
  [
    'a join for somebody else',
    () => put(state('m.room.member', world.carol.userId), { membership: 'join' }),
    403,
    'M_FORBIDDEN',
  ],
  ['a membership of nobody', () => put(state('m.room.member', 'nobody'), { membership: 'invite' }), 400, 'M_BAD_JSON'],
  ['a membership sent as a message', () => put(send('m.room.member'), { membership: 'leave' }), 403, 'M_FORBIDDEN'],
  [
    'an alias that leads nowhere',
    () => put(state('m.room.canonical_alias', ''), { alias: '#no:localhost' }),
    400,
    'M_BAD_ALIAS',
  ],
  ['a kick of who is not there', () => post(`${room()}/kick`, { user_id: world.carol.userId }), 403, 'M_FORBIDDEN'],
  ['a kick upwards', () => post(`${room()}/kick`, { user_id: world.alice.userId }, 'bob'), 403, 'M_FORBIDDEN'],
  ['a ban upwards', () => post(`${room()}/ban`, { user_id: world.alice.userId }, 'bob'), 403, 'M_FORBIDDEN'],
  ['an unban of who is not banned', () => post(`${room()}/unban`, { user_id: world.carol.userId }), 403, 'M_FORBIDDEN'],
  ['an invitation of a member', () => post(`${room()}/invite`, { user_id: world.bob.userId }), 403, 'M_FORBIDDEN'],
  ["a redaction of another's event", () => put(`${room()}/redact/${world.event}/t`, {}, 'bob'), 403, 'M_FORBIDDEN'],
  [
    "a redaction of another room's event",
    () => put(`${room()}/redact/${world.foreignEvent}/t`, {}),
    404,
    'M_NOT_FOUND',
  ],
];

const rooms: readonly Refused[] = [
  [
    'an unknown room version',
    () => post(`${v3}/createRoom`, { room_version: '99' }),
    400,
    'M_UNSUPPORTED_ROOM_VERSION',
  ],
  ['a room version that is no text', () => post(`${v3}/createRoom`, { room_version: 12 }), 400, 'M_BAD_JSON'],
  ['an unknown preset', () => post(`${v3}/createRoom`, { preset: 'x' }), 400, 'M_INVALID_PARAM'],
  ['an alias of another form', () => post(`${v3}/createRoom`, { room_alias_name: 'a:b' }), 400, 'M_INVALID_PARAM'],
  [
    'power levels that are no integers at the start',
    () => post(`${v3}/createRoom`, { power_level_content_override: { ban: '5' } }),
    400,
    'M_INVALID_ROOM_STATE',
  ],
  [
    'an invitation of oneself at the start',
    () => post(`${v3}/createRoom`, { invite: [world.alice.userId] }),
    400,
    'M_INVALID_ROOM_STATE',
  ],
  [
    'a second create event at the start',
    () => post(`${v3}/createRoom`, { initial_state: [{ type: 'm.room.create', content: {} }] }),
    400,
    'M_BAD_JSON',
  ],
  [
    'a membership of nobody at the start',
    () => post(`${v3}/createRoom`, { initial_state: [{ type: 'm.room.member', state_key: 'x', content: {} }] }),
    400,
    'M_BAD_JSON',
  ],
  ['a large event at the start', () => post(`${v3}/createRoom`, { topic: 'x'.repeat(65_536) }), 413, 'M_TOO_LARGE'],
  [
    'a long state key at the start',
    () => post(`${v3}/createRoom`, { initial_state: [{ type: 'a.b', state_key: 'x'.repeat(256), content: {} }] }),
    413,
    'M_TOO_LARGE',
  ],
  [
    'a float in the last event',
    () => post(`${v3}/createRoom`, '{"initial_state":[{"type":"a.b","content":{"a":0.5}}]}'),
    400,
    'M_BAD_JSON',
  ],
  ['a float at the start', () => post(`${v3}/createRoom`, '{"creation_content":{"a":0.5}}'), 400, 'M_BAD_JSON'],
];

const tokens: readonly Refused[] = [
  ['since of another server', () => get(`${v3}/sync?since=s72594_4483_1934`), 400, 'M_INVALID_PARAM'],
  ['since that is a gap of a timeline', () => get(`${v3}/sync?since=t5`), 400, 'M_INVALID_PARAM'],
  ['from of another server', () => get(`${room()}/messages?dir=b&from=t1-5_6`), 400, 'M_INVALID_PARAM'],
  ['to that is no token', () => get(`${room()}/messages?dir=b&to=x`), 400, 'M_INVALID_PARAM'],
  ['at that is no token', () => get(`${room()}/members?at=x`), 400, 'M_INVALID_PARAM'],
  ['a direction that there is not', () => get(`${room()}/messages?dir=x`), 400, 'M_INVALID_PARAM'],
  ['no direction', () => get(`${room()}/messages`), 400, 'M_MISSING_PARAM'],
  ['a limit below zero', () => get(`${room()}/messages?dir=b&limit=-1`), 400, 'M_INVALID_PARAM'],
  ['a filter that is not JSON', () => get(`${v3}/sync?filter={`), 400, 'M_NOT_JSON'],
  ['a filter of wrong types', () => get(`${v3}/sync?filter={"room":5}`), 400, 'M_BAD_JSON'],
  ['a filter that there is not', () => get(`${v3}/sync?filter=99`), 400, 'M_INVALID_PARAM'],
];

describe('refused, and nothing changed', () => {
  it.each([...unknownPaths, ...events, ...stateChanges, ...rooms, ...tokens])(
    '%s',
    async (_what, row, status, errcode) => {
      await expectRefused(row(), status, errcode);
    },
  );
});

describe('transactions that are repeated', () => {
  const eventIdOf = async (row: Row): Promise<unknown> => (await answerTo(row)).json['event_id'];

  it('give the first event again, whatever the repetition says', async () => {
    const first = await eventIdOf(put(send(), { body: 'first' }));
    const before = await world.snapshot();
    expect(first).toMatch(/^\$/);
    expect(await eventIdOf(put(send(), { body: 'first' }))).toBe(first);
    expect(await eventIdOf(put(send(), { body: 'second' }))).toBe(first);
    expect(await Promise.all([1, 2, 3].map(() => eventIdOf(put(send(), { body: 'again' }))))).toEqual([
      first,
      first,
      first,
    ]);
    expect(await world.snapshot()).toEqual(before);
  });

  it('are told apart by room, event type and device, and redactions by their target', async () => {
    const first = await eventIdOf(put(send('org.example.a'), {}));
    expect(await eventIdOf(put(send('org.example.b'), {}))).not.toBe(first);
    expect(await eventIdOf(put(send('org.example.a'), {}, 'bob'))).not.toBe(first);
    const redact = put(`${room()}/redact/${String(first)}/once`, {});
    const redaction = await eventIdOf(redact);
    const before = await world.snapshot();
    expect(redaction).not.toBe(first);
    expect(await eventIdOf(redact)).toBe(redaction);
    expect(await world.snapshot()).toEqual(before);
  });

  it('become one event when they come at the same time', async () => {
    const row = put(`${room()}/send/m.room.message/together`, { body: 'once' });
    const ids = await Promise.all(Array.from({ length: 10 }, () => eventIdOf(row)));
    expect(new Set(ids).size).toBe(1);
  });
});
