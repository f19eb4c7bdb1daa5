import { expect, it } from 'vitest';
import { authTypesForEvent } from '../../src/matrix/event-auth/auth-types.ts';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import type { RoomEvent } from '../../src/matrix/events/room-event.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { prepareEffects } from '../../src/rooms/event-effects.ts';
import { findStoredEvent } from '../../src/rooms/stored-event.ts';
import { eventsByNids } from '../../src/storage/stores/timeline-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms } from '../support/test-rooms.ts';
import { makeEvent } from '../rooms/dag/support/test-room.ts';

/** Branches of a room meet, and what is true of it changes without an event that says so. */
describeOnBothEngines('sync where states are merged', (engine) => {
  const remote = '@rita:elsewhere';

  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice, {
      roomVersion: '11',
      topic: 'old',
      powerLevelContentOverride: { users: { [alice.userId]: 100, [remote]: 50 }, events: { 'm.room.topic': 0 } },
    });
    for (const user of [bob, carol]) await test.rooms.joinRoom(user, { roomId });
    const dag = await test.ctx.dags.open(roomId);
    await receive(test, roomId, dag.frontier().prevEvents[0]?.eventId, 'm.room.member', remote, {
      membership: 'join',
    });
    const { next_batch: since } = await test.syncOnce(bob);
    const fork = dag.frontier().prevEvents[0]?.eventId;
    return { test, alice, bob, carol, roomId, since, dag, fork };
  };

  let made = 0;
  /** An event of the other server, with the state after `prev`, or with what is given as that. */
  const receive = async (
    test: TestRooms,
    roomId: RoomId,
    prev: EventId | undefined,
    type: string,
    stateKey: string | undefined,
    content: JsonObject,
    given?: ReadonlyMap<EventId, readonly EventId[]>,
    authFrom: EventId | undefined = prev,
  ): Promise<EventId> => {
    if (prev === undefined || authFrom === undefined) throw new Error('there is an event before');
    return test.ctx.locks.run(roomId, async () => {
      const dag = await test.ctx.dags.open(roomId);
      await test.ctx.db.drained();
      const parent = await test.storedEvent(authFrom);
      const subject = { type, stateKey, sender: remote as RoomEvent['sender'], content };
      const authEvents: EventId[] = [];
      for (const [authType, key] of authTypesForEvent(subject, dag.rules))
        authEvents.push(...(await stateEventIds(test, parent.eventId, authType, key)));
      const fields = { eventId: `$remote-${++made}` as EventId, originServerTs: test.ctx.clock.nowMs() + made };
      const { event, body } = makeEvent(
        { ...fields, ...subject, roomId, depth: parent.depth + 1, prevEvents: [prev], authEvents },
        dag.rules,
      );
      const effects = await prepareEffects(test.ctx, dag, event, {});
      const placed = await dag.receive(
        event,
        body,
        given === undefined ? effects.options : { ...effects.options, given },
      );
      expect(placed.verdict.ok).toBe(true);
      await placed.ticket?.committed;
      return event.eventId;
    });
  };

  const stateEventIds = async (test: TestRooms, after: EventId, type: string, key: string): Promise<EventId[]> => {
    const nid = await nidOf(test, after);
    const found = await test.ctx.states.stateEventAfter(nid, type, key);
    if (found === undefined) return [];
    return (await test.ctx.db.all(eventsByNids, { nids: [found] })).map((row) => row.event_id as EventId);
  };
  const nidOf = async (test: TestRooms, eventId: EventId): Promise<number> => {
    return (await findStoredEvent(test.ctx, eventId))?.header.nid ?? 0;
  };
  const told = (events: readonly ClientEvent[] = []) =>
    events.map((event) => event.content['topic'] ?? event.content['membership'] ?? event.content['body']);

  it.each(['state', 'state_after'] as const)(
    'tells what changed beside the event that brought the branches together (%s)',
    async (stateField) => {
      const { test, bob, carol, roomId, since, fork } = await start();
      await test.setState(carol, roomId, 'm.room.topic', { topic: 'new' });
      const { next_batch: known } = await test.syncOnce(bob, since);
      const waiting = test.syncWaiting(bob, known, { stateField });
      await receive(test, roomId, fork, 'm.room.member', carol.userId, { membership: 'ban' });
      const room = (await waiting).rooms?.join?.[roomId];
      expect(told(room?.timeline.events)).toEqual(['ban']);
      const state = stateField === 'state' ? room?.state.events : room?.state_after?.events;
      expect(new Set(told(state))).toEqual(new Set(stateField === 'state' ? ['old'] : ['old', 'ban']));
      // Over the whole gap, too, and after a restart.
      for (const one of [test, test.restarted()]) {
        const whole = (await one.syncOnce(bob, since, { stateField })).rooms?.join?.[roomId];
        expect(told(whole?.timeline.events)).toEqual(['new', 'ban']);
        if (stateField === 'state_after')
          expect(new Set(told(whole?.state_after?.events))).toEqual(new Set(['old', 'ban']));
      }
      const topic = (await test.state(bob, roomId)).find((event) => event.type === 'm.room.topic');
      expect(topic?.content['topic']).toBe('old');
    },
  );

  it('tells of a change that came without any event, at once and later', async () => {
    const { test, alice, bob, roomId, dag, since } = await start();
    const state = (await test.state(alice, roomId)).map((event) => event.event_id);
    const tip = dag.frontier().prevEvents[0]?.eventId;
    const unknown = '$unknown-parent' as EventId;
    const given = (ids: readonly EventId[]) => new Map([[unknown, ids]]);
    const topic = await receive(test, roomId, unknown, 'm.room.topic', '', { topic: 'of rita' }, given(state), tip);
    const { next_batch: known, rooms } = await test.syncOnce(bob, since);
    expect(told(rooms?.join?.[roomId]?.timeline.events)).toEqual(['of rita']);
    const waiting = test.syncWaiting(bob, known);
    // The state that came with it was not the right one: rita was not in the room.
    const membership = (await test.state(alice, roomId)).find((event) => event.state_key === remote)?.event_id;
    const outcome = await test.ctx.locks.run(roomId, () =>
      dag.rejudge(topic, given(state.filter((id) => id !== membership))),
    );
    expect(outcome.rejected.map(({ event }) => event.eventId)).toEqual([topic]);
    await outcome.ticket?.committed;
    const answer = await waiting;
    const room = answer.rooms?.join?.[roomId];
    expect(told(room?.timeline.events)).toEqual([]);
    expect(told(room?.state.events)).toEqual(['old']);
    for (const one of [test, test.restarted()]) {
      const late = (await one.syncOnce(bob, known)).rooms?.join?.[roomId];
      expect(told(late?.state.events)).toEqual(['old']);
      const after = await one.syncOnce(bob, known, { stateField: 'state_after' });
      expect(told(after.rooms?.join?.[roomId]?.state_after?.events)).toEqual(['old']);
      expect((await one.syncOnce(bob, answer.next_batch)).rooms).toBeUndefined();
    }
  });
});
