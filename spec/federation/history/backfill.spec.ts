import { expect, it } from 'vitest';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { StateReader } from '../../../src/rooms/state/state-reader.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import type { ClientEvent } from '../../support/test-rooms.ts';
import { alice, bob, eve, far, FarRoom, other } from '../receive/support/far-room.ts';
import { NearServer } from '../receive/support/near-server.ts';

/** A room with history before bob's join, which is all that is known here. */
function roomWithHistory(messages: number, visibility?: string): { room: FarRoom; join: ReturnType<FarRoom['join']> } {
  const room = new FarRoom('11');
  room.add({ type: 'm.room.create', stateKey: '', sender: alice, content: { room_version: '11' } });
  room.join(alice);
  room.add({ type: 'm.room.power_levels', stateKey: '', sender: alice, content: { users: { [alice]: 100 } } });
  room.add({ type: 'm.room.join_rules', stateKey: '', sender: alice, content: { join_rule: 'public' } });
  if (visibility !== undefined)
    room.add({
      type: 'm.room.history_visibility',
      stateKey: '',
      sender: alice,
      content: { history_visibility: visibility },
    });
  room.join(eve);
  room.chain(eve, messages);
  return { room, join: room.join(bob) };
}

const idsOf = (events: readonly ClientEvent[]): EventId[] => events.map((event) => event.event_id);
const newestFirst = (room: FarRoom): EventId[] => room.order.map(({ event }) => event.eventId).toReversed();

describeOnBothEngines('history that other servers have', (engine) => {
  it('is fetched when somebody pages back to it, in its order', async () => {
    const { room, join } = roomWithHistory(10);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const reader = await server.bob();
    const before = await server.test.syncOnce(reader);
    const page = await server.test.history(reader, room.roomId, { limit: 5 });
    expect(idsOf(page.chunk)).toEqual(newestFirst(room).slice(0, 5));
    const rest = await server.test.history(reader, room.roomId, { from: page.end, limit: 100 });
    expect(idsOf(rest.chunk)).toEqual(newestFirst(room).slice(5));
    expect(rest.end).toBeUndefined();
    // Nobody is told of it as of something new.
    const after = await server.test.syncOnce(reader, before.next_batch);
    expect(after.rooms?.join?.[room.roomId]).toBeUndefined();
    expect(server.failures).toEqual([]);
  });

  it('is fetched as often as it takes to fill a page', { timeout: 60_000 }, async () => {
    const { room, join } = roomWithHistory(230);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const page = await server.test.history(await server.bob(), room.roomId, { limit: 500 });
    expect(idsOf(page.chunk)).toEqual(newestFirst(room));
    expect(room.asked.filter((question) => question.startsWith('backfill '))).toHaveLength(3);
  });

  it('has the states that it had', async () => {
    const { room, join } = roomWithHistory(3);
    const topics = ['one', 'two', 'three'].map((topic) =>
      room.add({ type: 'm.room.topic', stateKey: '', sender: alice, content: { topic } }),
    );
    const rejoin = room.join(bob);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, rejoin);
    await server.test.history(await server.bob(), room.roomId, { limit: 100 });
    const nidOf = async (eventId: EventId): Promise<number> => {
      const dag = await server.test.ctx.dags.open(room.roomId);
      const placed = await dag.receive(await server.test.storedEvent(eventId), '{}');
      return placed.nid;
    };
    const states: StateReader = server.test.ctx.states;
    for (const [index, topic] of topics.entries()) {
      const nid = await nidOf(topic.event.eventId);
      expect(await states.stateEventAfter(nid, 'm.room.topic', '')).toBe(nid);
      const before = await states.stateEventBefore(nid, 'm.room.topic', '');
      expect(before).toBe(index === 0 ? undefined : await nidOf(topics[index - 1]!.event.eventId));
    }
    expect(await states.stateEventAfter(await nidOf(join.event.eventId), 'm.room.topic', '')).toBeUndefined();
  });

  it('is not asked for by those who may not see it', async () => {
    const { room, join } = roomWithHistory(3, 'joined');
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const page = await server.test.history(await server.bob(), room.roomId);
    expect(idsOf(page.chunk)).toEqual([join.event.eventId]);
    expect(room.asked).toEqual([]);
  });

  it('is seen by nobody who could not see it then', async () => {
    const { room } = roomWithHistory(2, 'joined');
    room.add({
      type: 'm.room.history_visibility',
      stateKey: '',
      sender: alice,
      content: { history_visibility: 'shared' },
    });
    const shared = room.chain(eve, 2, 'shared');
    room.member(bob, bob, 'leave');
    const rejoin = room.join(bob);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, rejoin);
    const reader = await server.bob();
    const page = await server.test.history(reader, room.roomId);
    const seen = idsOf(page.chunk);
    for (const { event } of shared) expect(seen).toContain(event.eventId);
    // bob's first join is where what he may see of the stricter time begins.
    const hidden = room.order.filter(({ event }) => event.sender === eve && event.content['body'] === 'message 0');
    for (const { event } of hidden) {
      expect(seen).not.toContain(event.eventId);
      await expect(server.test.event(reader, room.roomId, event.eventId)).rejects.toMatchObject({ status: 404 });
    }
  });

  it('is had from another server where the first has nothing', async () => {
    const { room, join } = roomWithHistory(4);
    room.silent.add(far);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const page = await server.test.history(await server.bob(), room.roomId);
    expect(idsOf(page.chunk)).toEqual(newestFirst(room));
  });

  it('is had from a server that came in late itself, as far as that one has it', async () => {
    const { room, join } = roomWithHistory(5);
    const behind = newestFirst(room).slice(4);
    for (const eventId of behind) room.withoutState.add(eventId);
    for (const eventId of behind) room.notInHistory.add(eventId);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const page = await server.test.history(await server.bob(), room.roomId, { limit: 100 });
    expect(idsOf(page.chunk)).toEqual(newestFirst(room).slice(0, 4));
  });

  it('is missing without it, until it can be had', async () => {
    const { room, join } = roomWithHistory(4);
    room.silent.add(far).add(other);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const reader = await server.bob();
    const page = await server.test.history(reader, room.roomId);
    expect(idsOf(page.chunk)).toEqual([join.event.eventId]);
    expect(page.end).toBeDefined();
    room.silent.clear();
    const asked = room.asked.length;
    const again = await server.test.history(reader, room.roomId, { from: page.end });
    expect(again).toMatchObject({ chunk: [], end: page.end });
    expect(room.asked).toHaveLength(asked);
    await server.ports.advance(61_000);
    const later = await server.test.history(reader, room.roomId, { from: page.end });
    expect(idsOf(later.chunk)).toEqual(newestFirst(room).slice(1));
  });

  it('fills what was missed during an outage, between what came before and after', async () => {
    const { room, join } = roomWithHistory(2);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const known = room.say(eve, 'before the outage');
    await server.send([known]);
    room.chain(eve, 30, 'missed');
    room.givesNoMissingEvents = true;
    await server.send([room.say(eve, 'after the outage')]);
    await server.settled();
    const page = await server.test.history(await server.bob(), room.roomId, { limit: 20 });
    expect(idsOf(page.chunk)).toEqual(newestFirst(room).slice(0, 20));
    const rest = await server.test.history(await server.bob(), room.roomId, { from: page.end, limit: 200 });
    expect(idsOf(rest.chunk)).toEqual(newestFirst(room).slice(20));
  });

  it('is found by its time, and can be paged through from there', async () => {
    const { room, join } = roomWithHistory(300);
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.joinWith(room, join);
    const reader = await server.bob();
    const wanted = room.order[20]!.event;
    const found = await server.test.rooms.eventByTime(reader, room.roomId, { ts: wanted.originServerTs, dir: 'f' });
    expect(found['event_id']).toBe(wanted.eventId);
    const back = await server.test.rooms.eventByTime(reader, room.roomId, { ts: wanted.originServerTs, dir: 'b' });
    expect(back['event_id']).toBe(wanted.eventId);
    const around = await server.test.rooms.context(reader, room.roomId, wanted.eventId, 0, undefined);
    const page = await server.test.history(reader, room.roomId, { from: String(around['start']), limit: 50 });
    const index = newestFirst(room).indexOf(wanted.eventId);
    expect(idsOf(page.chunk)).toEqual(newestFirst(room).slice(index + 1));
    const all = await server.test.history(reader, room.roomId, { limit: 1_000 });
    expect(idsOf(all.chunk)).toEqual(newestFirst(room));
  });
});
