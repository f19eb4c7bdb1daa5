import { describe, expect, it } from 'vitest';
import { stickyDuration, stickyUntil } from '../../src/matrix/events/sticky.ts';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, type SyncAnswer, TestRooms, type TestUser } from '../support/test-rooms.ts';

describe('for how long an event is sticky', () => {
  it('is a whole number of milliseconds up to an hour, or else it is not', () => {
    for (const duration of [0, 1, 3_600_000])
      expect(stickyDuration({ msc4354_sticky: { duration_ms: duration } })).toBe(duration);
    for (const wrong of [-1, 3_600_001, 1.5, '1', null, true])
      expect(stickyDuration({ msc4354_sticky: { duration_ms: wrong } })).toBeUndefined();
    for (const wrong of [undefined, null, 5, [], {}]) expect(stickyDuration({ msc4354_sticky: wrong })).toBeUndefined();
  });

  it('begins when it was sent, or came in if that is earlier', () => {
    const event = { origin_server_ts: 1_000, msc4354_sticky: { duration_ms: 500 } };
    expect([stickyUntil(event, 1_200), stickyUntil(event, 900)]).toEqual([1_500, 1_400]);
    expect(stickyUntil({ origin_server_ts: 1_000 }, 1_000)).toBeUndefined();
  });
});

describeOnBothEngines('sticky events in /sync', (engine) => {
  const start = async () => {
    const ports = testPorts(1);
    let test = new TestRooms(await engine.open(), ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    let transactions = 0;
    const stick = (body: string, stickyMs = 60_000, stateKey?: string) => {
      const event = { roomId, type: 'org.example.member', content: { body }, stickyMs };
      transactions += 1;
      const transaction = { deviceNid: alice.deviceNid, path: 'send', txnId: String(transactions) };
      return stateKey === undefined
        ? test.rooms.sendMessage(alice, { ...event, transaction })
        : test.rooms.sendState(alice, { ...event, stateKey });
    };
    return {
      ports,
      alice,
      bob,
      roomId,
      stick,
      get test() {
        return test;
      },
      restart: () => void (test = test.restarted()),
      /** So many that no timeline holds them all. */
      async chat(): Promise<void> {
        for (let i = 0; i < 12; i++) await test.say(alice, roomId, `chat ${++transactions}`);
      },
      sync: (user: TestUser, since?: string, filter = {}) => test.syncOnce(user, since, { filter }),
    };
  };
  const roomIn = (answer: SyncAnswer, roomId: RoomId) => answer.rooms?.join?.[roomId];
  const bodies = (events: readonly ClientEvent[] | undefined) => events?.map((event) => event.content['body']);
  const stickyIn = (answer: SyncAnswer, roomId: RoomId): readonly ClientEvent[] | undefined =>
    (roomIn(answer, roomId) as { readonly msc4354_sticky?: { readonly events: readonly ClientEvent[] } } | undefined)
      ?.msc4354_sticky?.events;

  it('are in the timeline like others, with how long they last', async () => {
    const { test, ports, bob, roomId, stick, sync } = await start();
    const { next_batch: since } = await sync(bob);
    await stick('here');
    await ports.advance(10_000);
    const answer = await sync(bob, since);
    expect(roomIn(answer, roomId)?.timeline.events).toMatchObject([
      {
        content: { body: 'here' },
        msc4354_sticky: { duration_ms: 60_000 },
        unsigned: { msc4354_sticky_duration_ttl_ms: 50_000 },
      },
    ]);
    expect(stickyIn(answer, roomId)).toBeUndefined();
    expect((await test.history(bob, roomId)).chunk[0]).toMatchObject({ msc4354_sticky: { duration_ms: 60_000 } });
  });

  it('are told beside a timeline that has no place for them, once', async () => {
    const { bob, roomId, stick, chat, sync } = await start();
    const { next_batch: since } = await sync(bob);
    await stick('first');
    await stick('second');
    await chat();
    await stick('last');
    const answer = await sync(bob, since);
    expect(bodies(stickyIn(answer, roomId))).toEqual(['first', 'second']);
    expect(bodies(roomIn(answer, roomId)?.timeline.events)?.at(-1)).toBe('last');
    await chat();
    expect(stickyIn(await sync(bob, answer.next_batch), roomId)).toBeUndefined();
    expect(bodies(stickyIn(await sync(bob), roomId))).toEqual(['first', 'second', 'last']);
  });

  it('are told whatever the filter of the timeline leaves out', async () => {
    const { bob, roomId, stick, sync } = await start();
    const { next_batch: since } = await sync(bob);
    await stick('here');
    const filter = { room: { timeline: { types: ['m.room.message'] } } };
    const answer = await sync(bob, since, filter);
    expect(roomIn(answer, roomId)?.timeline.events).toEqual([]);
    expect(bodies(stickyIn(answer, roomId))).toEqual(['here']);
  });

  it('are told to those who join, also where they may not see what was said before', async () => {
    const world = await start();
    const { test, alice, bob, roomId, stick, chat, sync } = world;
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    await stick('here');
    await stick('as state', 60_000, 'key');
    await chat();
    const carol = await test.user('carol');
    const { next_batch: since } = await sync(carol);
    await test.rooms.joinRoom(carol, { roomId });
    expect(bodies(stickyIn(await sync(carol, since), roomId))).toEqual(['here', 'as state']);
    const { next_batch: before } = await sync(bob);
    await test.rooms.leaveRoom(bob, { roomId });
    await stick('while away');
    await test.rooms.joinRoom(bob, { roomId });
    expect(bodies(stickyIn(await sync(bob, before), roomId))).toContain('while away');
    world.restart();
    const again = await world.sync(carol, since);
    expect(bodies(stickyIn(again, roomId))).toEqual(['here', 'as state']);
    expect(bodies(roomIn(again, roomId)?.timeline.events)).toContain('while away');
  });

  it('are like others when their time is over, or they are redacted', async () => {
    const { test, ports, alice, bob, roomId, stick, chat, sync } = await start();
    const { next_batch: since } = await sync(bob);
    await stick('short', 1_000);
    const redacted = await stick('redacted');
    await stick('long');
    await stick('not at all', 0);
    await test.rooms.redactEvent(alice, { roomId, eventId: redacted, content: {} });
    await chat();
    await ports.advance(1_000);
    expect(bodies(stickyIn(await sync(bob, since), roomId))).toEqual(['long']);
    await ports.advance(59_000);
    const answer = await sync(bob);
    expect(stickyIn(answer, roomId)).toBeUndefined();
    const event = (await test.history(bob, roomId)).chunk.find(({ event_id: id }) => id === redacted);
    expect(event).not.toHaveProperty('msc4354_sticky');
  });

  it('are not told of those whom the reader ignores', async () => {
    const { test, alice, bob, roomId, stick, chat, sync } = await start();
    await test.setAccountData(bob, 'm.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
    await stick('here');
    await chat();
    expect(stickyIn(await sync(bob), roomId)).toBeUndefined();
  });
});
