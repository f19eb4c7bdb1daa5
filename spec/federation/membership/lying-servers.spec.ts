import { describe, expect, it } from 'vitest';
import { signEvent } from '../../../src/matrix/crypto/finish-event.ts';
import { isEventId } from '../../../src/matrix/ids/event-id.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import type { RoomVersionId } from '../../../src/matrix/room-versions/rules.ts';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { LinkedServers } from './support/linked-rooms.ts';

const [one, two] = ['one.test', 'two.test'] as ServerName[];

/** What a server answers instead of the truth. */
type Lie = (answer: JsonObject, truths: Truths) => JsonObject;
interface Truths {
  /** The create event of another room. */
  readonly otherCreate: JsonObject;
  /** That the room's name replaced. */
  readonly nameBefore: JsonObject;
}

const pdus = (answer: JsonObject, name: string): JsonObject[] => answer[name] as JsonObject[];
const ofType = (answer: JsonObject, name: string, type: string): JsonObject =>
  pdus(answer, name).find((pdu) => pdu['type'] === type)!;
const without = (answer: JsonObject, type: string): JsonObject => ({
  ...answer,
  state: pdus(answer, 'state').filter((pdu) => pdu['type'] !== type),
  auth_chain: pdus(answer, 'auth_chain').filter((pdu) => pdu['type'] !== type),
});
const replaced = (answer: JsonObject, type: string, change: (pdu: JsonObject) => JsonObject): JsonObject => {
  const all = (name: string): JsonObject[] =>
    pdus(answer, name).map((pdu) => (pdu['type'] === type ? change(pdu) : pdu));
  return { ...answer, state: all('state'), auth_chain: all('auth_chain') };
};
const template = (answer: JsonObject, change: JsonObject): JsonObject => ({
  ...answer,
  event: { ...(answer['event'] as JsonObject), ...change },
});
const broken = (pdu: JsonObject): JsonObject => ({ ...pdu, signatures: { [one!]: { 'ed25519:a': 'A'.repeat(86) } } });

const templates: Record<string, Lie> = {
  'another room version': (answer) => ({ ...answer, room_version: '6' }),
  'a room version that does not exist': (answer) => ({ ...answer, room_version: 'lies' }),
  'a room version that is no text': (answer) => ({ ...answer, room_version: 12 }),
  'another type': (answer) => template(answer, { type: 'm.room.power_levels' }),
  'another sender': (answer) => template(answer, { sender: '@mallory:two.test' }),
  'another user': (answer) => template(answer, { state_key: '@mallory:two.test' }),
  'another room': (answer) => template(answer, { room_id: '!other:one.test' }),
  'no membership': (answer) => template(answer, { content: {} }),
  'a ban': (answer) => template(answer, { content: { membership: 'ban' } }),
  'no parents': (answer) => template(answer, { prev_events: [] }),
  'too many parents': (answer) => template(answer, { prev_events: Array(21).fill(`$${'a'.repeat(43)}`) }),
  'auth events that are none': (answer) => template(answer, { auth_events: [{ lies: true }] as JsonValue }),
  'a depth that is none': (answer) => template(answer, { depth: -1 }),
  'no event': (answer) => ({ room_version: answer['room_version'] }),
  nothing: () => ({}),
};

const joins: Record<string, Lie> = {
  nothing: () => ({}),
  'no arrays': (answer) => ({ ...answer, state: {}, auth_chain: 'none' }),
  'a state without a create event': (answer) => without(answer, 'm.room.create'),
  'a create event that was tampered with': (answer) =>
    replaced(answer, 'm.room.create', (pdu) => ({ ...pdu, content: { ...(pdu['content'] as JsonObject), lies: 1 } })),
  'a create event of another room': (answer, { otherCreate }) => replaced(answer, 'm.room.create', () => otherCreate),
  'join rules with a forged signature': (answer) => replaced(answer, 'm.room.join_rules', broken),
  'a state without join rules': (answer) => without(answer, 'm.room.join_rules'),
  'an auth chain that lacks what the join cites': (answer) => ({
    ...without(answer, 'm.room.power_levels'),
  }),
  'two events of one key': (answer, { nameBefore }) => ({ ...answer, state: [...pdus(answer, 'state'), nameBefore] }),
  'more events than there may be': (answer) => ({
    ...answer,
    auth_chain: Array(limits.remoteStateEventsMax + 1).fill(ofType(answer, 'state', 'm.room.create')),
  }),
};

describeOnBothEngines('a server that lies about a room', (engine) => {
  const start = async (roomVersion: RoomVersionId = '11') => {
    const links = new LinkedServers();
    const home = links.add(one!, await engine.open(), testPorts(1));
    const away = links.add(two!, await engine.open(), testPorts(2));
    const [alice, bob] = [await home.rooms.user('alice', one), await away.rooms.user('bob', two)];
    const knocking = { type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'knock' } };
    const roomId = await home.rooms.createRoom(alice, { roomVersion, name: 'False', preset: 'public_chat' });
    const before = await (await home.ctx.dags.open(roomId)).currentEvent('m.room.name', '');
    await home.rooms.setState(alice, roomId, 'm.room.name', { name: 'True' });
    const other = await home.rooms.createRoom(alice, { roomVersion, name: 'Other' });
    const create = await (await home.ctx.dags.open(other)).currentEvent('m.room.create', '');
    const door = await home.rooms.createRoom(alice, { roomVersion, name: 'Door', initialState: [knocking] });
    const lie = (operation: string, tell: Lie): void => {
      links.tamper = (request, answer) =>
        request.path.includes(`/${operation}/`)
          ? tell(answer, { otherCreate: create!.pdu, nameBefore: before!.pdu })
          : answer;
    };
    const via = [one!];
    return { links, home, away, alice, bob, roomId, door, lie, via };
  };
  /** Nothing of it is believed, and the truth is taken afterwards. */
  const unharmed = async ({ links, away, bob, roomId, via }: Awaited<ReturnType<typeof start>>) => {
    expect((await away.rooms.syncOnce(bob)).rooms?.join ?? {}).toEqual({});
    links.tamper = (_request, answer) => answer;
    await away.rooms.rooms.joinRoom(bob, { roomId, via });
    const state = await away.rooms.state(bob, roomId);
    expect(state.find(({ type }) => type === 'm.room.name')?.content).toEqual({ name: 'True' });
    expect(state.filter(({ type }) => type === 'm.room.create')).toHaveLength(1);
    await away.rooms.say(bob, roomId, 'hello');
  };

  describe('offers a join as a template', () => {
    it.each(Object.keys(templates))('with %s, and is refused', async (name) => {
      const all = await start();
      all.lie('make_join', templates[name]!);
      const joining = all.away.rooms.rooms.joinRoom(all.bob, { roomId: all.roomId, via: all.via });
      await expect(joining).rejects.toMatchObject({ status: expect.any(Number), errcode: expect.any(String) });
      await unharmed(all);
    });
  });

  describe('answers a join', () => {
    it.each(Object.keys(joins))('with %s, and is refused', async (name) => {
      const all = await start();
      all.lie('send_join', joins[name]!);
      const joining = all.away.rooms.rooms.joinRoom(all.bob, { roomId: all.roomId, via: all.via });
      await expect(joining).rejects.toMatchObject({ status: 502 });
      await unharmed(all);
    });

    it('with an event that cannot be verified, which is left out', async () => {
      const all = await start();
      all.lie('send_join', (answer) => replaced(answer, 'm.room.name', broken));
      await all.away.rooms.rooms.joinRoom(all.bob, { roomId: all.roomId, via: all.via });
      const state = await all.away.rooms.state(all.bob, all.roomId);
      expect(state.some(({ type }) => type === 'm.room.name')).toBe(false);
    });

    it('with events that cite each other in a circle, which are left out', async () => {
      const all = await start('1');
      const key = all.home.ctx.localServers.signingKeyOf(one!);
      const { rules } = await all.home.ctx.dags.open(all.roomId);
      all.lie('send_join', (answer) => {
        const topic = ofType(answer, 'state', 'm.room.name');
        const circular = ['$x:one.test', '$y:one.test'].map((id, index, ids) =>
          signEvent(
            {
              ...topic,
              type: 'm.room.topic',
              event_id: id,
              auth_events: [[ids[1 - index]!, { sha256: 'x' }]],
              signatures: {},
            },
            one!,
            key,
            rules,
          ),
        );
        return {
          ...answer,
          state: [...pdus(answer, 'state'), circular[0]!],
          auth_chain: [...pdus(answer, 'auth_chain'), ...circular],
        };
      });
      await all.away.rooms.rooms.joinRoom(all.bob, { roomId: all.roomId, via: all.via });
      const state = await all.away.rooms.state(all.bob, all.roomId);
      expect(state.some(({ type }) => type === 'm.room.topic')).toBe(false);
      await all.away.rooms.say(all.bob, all.roomId, 'hello');
    });
  });

  it('offers a template for a knock that is something else, and is refused', async () => {
    const { away, bob, door, lie, via } = await start();
    for (const change of [{ sender: '@mallory:two.test' }, { type: 'm.room.name' }, { state_key: '' }]) {
      lie('make_knock', (answer) => template(answer, change));
      await expect(away.rooms.rooms.knockRoom(bob, { roomId: door, via })).rejects.toMatchObject({ status: 502 });
    }
    // Whatever is shown of the room, the knock stands.
    lie('send_knock', () => ({ knock_room_state: [{ lies: true }, 7, null, 'x'] as JsonValue }));
    await away.rooms.rooms.knockRoom(bob, { roomId: door, via });
    expect((await away.rooms.syncOnce(bob)).rooms?.knock?.[door]).toBeDefined();
  });

  it('offers a template for a leave that is something else, and the user is out all the same', async () => {
    const { home, away, alice, bob, roomId, lie } = await start();
    await home.rooms.rooms.inviteUser(alice, { roomId, target: bob.userId });
    const { next_batch: since } = await away.rooms.syncOnce(bob);
    lie('make_leave', (answer) => template(answer, { content: { membership: 'join' } }));
    await away.rooms.rooms.leaveRoom(bob, { roomId });
    const left = (await away.rooms.syncOnce(bob, since)).rooms?.leave?.[roomId];
    expect(left?.timeline.events).toMatchObject([{ content: { membership: 'leave' }, sender: bob.userId }]);
    const members = await home.rooms.state(alice, roomId);
    expect(members.find((event) => event.state_key === bob.userId)?.content).toMatchObject({ membership: 'invite' });
  });

  it('signs an invite badly, or signs another event, and the invite is not made', async () => {
    const { home, alice, bob, roomId, lie } = await start();
    const lies: Lie[] = [
      () => ({}),
      (answer) => ({ event: { ...(answer['event'] as JsonObject), signatures: {} } }),
      (answer) => ({
        event: { ...(answer['event'] as JsonObject), signatures: { [two!]: { 'ed25519:a': 'A'.repeat(86) } } },
      }),
      (answer) => ({
        event: { ...(answer['event'] as JsonObject), signatures: { [two!]: { 'ed25519:nobody': 'A'.repeat(86) } } },
      }),
    ];
    for (const tell of lies) {
      lie('invite', tell);
      const inviting = home.rooms.rooms.inviteUser(alice, { roomId, target: bob.userId });
      await expect(inviting).rejects.toMatchObject({ status: 502 });
    }
    const state = await home.rooms.state(alice, roomId);
    expect(state.some((event) => event.state_key === bob.userId)).toBe(false);
    // Other changes of the answer count for nothing: only the signature is taken.
    lie('invite', (answer) => ({ event: { ...(answer['event'] as JsonObject), content: { membership: 'join' } } }));
    await home.rooms.rooms.inviteUser(alice, { roomId, target: bob.userId });
    const invited = (await home.rooms.state(alice, roomId)).find((event) => event.state_key === bob.userId);
    expect(invited?.content).toMatchObject({ membership: 'invite' });
    expect(isEventId(invited?.event_id)).toBe(true);
  });
});
