import { expect, it } from 'vitest';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import { MissingEvents, type RoomDags } from '../../../src/rooms/dag/contract.ts';
import type { DagLimits } from '../../../src/rooms/dag/hot-room.ts';
import { createRoomDags } from '../../../src/rooms/dag/room-dags.ts';
import { type Database, UnitFailed } from '../../../src/storage/database.ts';
import { Names } from '../../../src/storage/names.ts';
import { insertTransaction } from '../../../src/storage/stores/txn-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { LocalRoom } from './support/test-room.ts';

const alice = '@alice:one';
const bob = '@bob:two';

const dagsOver = (db: Database, limits: Partial<DagLimits> = {}): RoomDags =>
  createRoomDags(db, new Names(db), { limits });

const count = async (db: Database, table: 'event' | 'state_change' | 'extremity' | 'room'): Promise<number> =>
  (await db.dynamic((q) => q.selectFrom(table).selectAll())).length;

const transaction = (txn: string, nid: number) => ({ device: 1, path: 'send', txn, nid, ts: 1 });

describeOnBothEngines('an event on the tip', (engine) => {
  it('costs four rows and no state, when it is a message', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '12');
    await db.drained();
    const stateRows = await count(db, 'state_change');
    const { rowsChanged } = await db.diagnostics();
    for (let i = 0; i < 200; i++) {
      const { event, body } = await room.make('m.room.message', undefined, alice, { body: `${i}` });
      await room.dag.receive(event, body, {
        local: true,
        also: (unit, { nid }) => unit.run(insertTransaction, transaction(`${i}`, nid)),
      });
    }
    await db.drained();
    expect(await count(db, 'state_change')).toBe(stateRows);
    expect(await count(db, 'extremity')).toBe(1);
    // a position or two are reserved meanwhile
    const perMessage = ((await db.diagnostics()).rowsChanged - rowsChanged) / 200;
    expect(perMessage).toBeGreaterThanOrEqual(4);
    expect(perMessage).toBeLessThan(5);
  });

  it('reads nothing from the database in a warm room', async () => {
    const db = await engine.open();
    let reads = 0;
    const counting: Database = {
      engine: db.engine,
      all: (query, params) => (reads++, db.all(query, params)),
      one: (query, params) => (reads++, db.one(query, params)),
      dynamic: (build) => (reads++, db.dynamic(build)),
      write: (build) => db.write(build),
      nextId: () => db.nextId(),
      committedPos: () => db.committedPos(),
      onCommitted: (listener) => db.onCommitted(listener),
      drained: () => db.drained(),
      close: () => db.close(),
    };
    const room = await LocalRoom.create(dagsOver(counting), '10');
    await room.send('m.room.message', undefined, alice, { body: 'warm' });
    await room.send('m.room.topic', '', alice, { topic: 'warm' });
    reads = 0;
    await room.send('m.room.message', undefined, alice, { body: 'hot' });
    await room.send('m.room.topic', '', alice, { topic: 'hot' });
    expect(reads).toBe(0);
  });

  it('writes one row of state, when it is a state event, and says what changed', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '11');
    const first = await room.send('m.room.topic', '', alice, { topic: 'first' });
    await db.drained();
    const rows = await count(db, 'state_change');
    const second = await room.send('m.room.topic', '', alice, { topic: 'second' });
    await db.drained();
    expect(await count(db, 'state_change')).toBe(rows + 1);
    expect(second.placed.stateChanges).toEqual([
      {
        type: 'm.room.topic',
        stateKey: '',
        event: { nid: second.placed.nid, event: second.event },
        previousNid: first.placed.nid,
      },
    ]);
    expect((await room.dag.currentEvent('m.room.topic', ''))?.eventId).toBe(second.event.eventId);
  });

  it('is not stored at all, when it is local and refused', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '10');
    await db.drained();
    const events = await count(db, 'event');
    const { event, body } = await room.make('m.room.message', undefined, bob, { body: 'not joined' });
    const placed = await room.dag.receive(event, body, { local: true });
    expect(placed).toMatchObject({ nid: 0, ord: null, verdict: { ok: false }, ticket: undefined });
    await db.drained();
    expect(await count(db, 'event')).toBe(events);
    expect(room.dag.frontier().prevEvents.map((at) => at.eventId)).not.toContain(event.eventId);
  });

  it('is seen by the next one before it is committed', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '12');
    await room.send('m.room.member', bob, bob, { membership: 'join' });
    const tickets = [];
    for (const topic of ['a', 'b', 'c']) {
      const { event, placed } = await room.send('m.room.topic', '', alice, { topic });
      tickets.push(placed.ticket);
      expect((await room.dag.currentEvent('m.room.topic', ''))?.eventId).toBe(event.eventId);
      expect(room.dag.frontier().prevEvents.map((at) => at.eventId)).toEqual([event.eventId]);
    }
    for (const ticket of tickets) await ticket!.committed;
    const again = await dagsOver(db).open(room.dag.roomId);
    expect((await again.currentEvent('m.room.topic', ''))?.content).toEqual({ topic: 'c' });
  });

  it('fails with the one before it, and the room can be opened anew', async () => {
    const db = await engine.open();
    const dags = dagsOver(db);
    const room = await LocalRoom.create(dags, '10');
    await room.send('m.room.topic', '', alice, { topic: 'kept' });
    await db.drained();
    const also = (unit: Parameters<Parameters<Database['write']>[0]>[0], { nid }: { nid: number }) =>
      unit.run(insertTransaction, transaction('twice', nid));
    const make = () => room.make('m.room.message', undefined, alice, { body: 'x' });
    const first = await make();
    await room.dag.receive(first.event, first.body, { local: true, also });
    const second = await make();
    const failing = await room.dag.receive(second.event, second.body, { local: true, also });
    // it is refused at once, or fails with the other, if that is still under way
    const later = room.send('m.room.topic', '', alice, { topic: 'lost' });
    await expect(later.then(({ placed }) => placed.ticket!.committed)).rejects.toThrow(UnitFailed);
    await expect(failing.ticket!.committed).rejects.toThrow(UnitFailed);
    expect(() => room.dag.frontier()).toThrow(UnitFailed);
    const again = await dags.open(room.dag.roomId);
    expect(again.frontier().prevEvents.map((at) => at.eventId)).toEqual([first.event.eventId]);
    expect((await again.currentEvent('m.room.topic', ''))?.content).toEqual({ topic: 'kept' });
  });

  it('counts for the room when the default push rules notify, also after a restart', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '10');
    for (const notifies of [true, false, true]) {
      const { event, body } = await room.make('m.room.message', undefined, alice, { body: 'x' });
      const placed = await room.dag.receive(event, body, { local: true, notifies });
      expect(placed.notifySeq).toBe(room.dag.notifySeq());
    }
    expect(room.dag.notifySeq()).toBe(2);
    await db.drained();
    expect((await dagsOver(db).open(room.dag.roomId)).notifySeq()).toBe(2);
  });
});

describeOnBothEngines('rooms', (engine) => {
  it('do not exist when what belongs to the create event fails', async () => {
    const db = await engine.open();
    const dags = dagsOver(db);
    await LocalRoom.create(dags, '10', alice, 'taken');
    await LocalRoom.create(dags, '10', alice, 'taken').catch(() => undefined);
    await db.drained();
    expect(await count(db, 'room')).toBe(1);
    await expect(dags.open('!nowhere:one' as never)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    expect(await dags.find('!nowhere:one' as never)).toBeUndefined();
  });

  it('stay one room for all who hold them, however few may stay in memory', async () => {
    const db = await engine.open();
    const dags = createRoomDags(db, new Names(db), { hotRoomsMax: 1 });
    const one = await LocalRoom.create(dags, '12', alice, 'one');
    const other = await LocalRoom.create(dags, '12', alice, 'other');
    await db.drained();
    for (let i = 0; i < 5; i++) {
      await one.send('m.room.topic', '', alice, { topic: `one ${i}` });
      await other.send('m.room.topic', '', alice, { topic: `other ${i}` });
      const again = await dags.open(one.dag.roomId);
      expect((await again.currentEvent('m.room.topic', ''))?.content).toEqual({ topic: `one ${i}` });
      expect(again.frontier()).toEqual(one.dag.frontier());
      expect((await dags.openByNid(other.dag.room)).frontier()).toEqual(other.dag.frontier());
    }
  });

  it('answer only for keys that were asked for', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '12');
    const state = await room.dag.currentEvents([
      ['m.room.create', ''],
      ['m.room.name', ''],
    ]);
    expect(state('m.room.create', '')?.type).toBe('m.room.create');
    expect(state('m.room.name', '')).toBeUndefined();
    expect(() => state('m.room.topic', '')).toThrow('was not prefetched');
  });

  it('show what a redaction left', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '12');
    const { event, placed } = await room.send('m.room.topic', '', alice, { topic: 'secret' });
    room.dag.bodyReplaced(placed.nid, { ...event, content: {} });
    expect((await room.dag.currentEvent('m.room.topic', ''))?.content).toEqual({});
  });
});

describeOnBothEngines('an event off the tip', (engine) => {
  /** Everything after the event that `build` made is parallel to it. */
  async function forkAfter(room: LocalRoom, changes: number) {
    await room.send('m.room.member', bob, bob, { membership: 'join' });
    const late = await room.make('m.room.message', undefined, bob, { body: 'late' });
    for (let i = 0; i < changes; i++) await room.send('m.room.topic', '', alice, { topic: `${i}` });
    return late;
  }

  it('becomes an extremity, and the next local event merges', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '12');
    const late = await forkAfter(room, 3);
    const placed = await room.dag.receive(late.event, late.body);
    expect(placed).toMatchObject({ verdict: { ok: true }, softFailed: false, stateChanges: [] });
    expect(room.dag.frontier().prevEvents).toHaveLength(2);
    const merge = await room.send('m.room.message', undefined, alice, { body: 'merge' });
    expect(room.dag.frontier().prevEvents.map((at) => at.eventId)).toEqual([merge.event.eventId]);
  });

  it('is soft-failed when too much changed since its parents', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db, { lateRowsMax: 5 }), '12');
    const late = await forkAfter(room, 6);
    const placed = await room.dag.receive(late.event, late.body);
    expect(placed).toMatchObject({ verdict: { ok: true }, softFailed: true, ord: null, stateChanges: [] });
    expect(room.dag.frontier().prevEvents).toHaveLength(1);
  });

  it('that merges branches too far apart needs the states after its parents', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db, { lateRowsMax: 5, mergeRowsMax: 5 }), '12');
    const late = await forkAfter(room, 6);
    await room.dag.receive(late.event, late.body);
    const { event, body } = await room.make('m.room.message', undefined, alice, { body: 'merged elsewhere' });
    const prevEvents = [...event.prevEvents, late.event.eventId];
    const merge = { ...event, prevEvents, pdu: { ...event.pdu, prev_events: prevEvents } };
    const text = JSON.stringify({ ...(JSON.parse(body) as object), prev_events: prevEvents });
    await expect(room.dag.receive(merge, text)).rejects.toMatchObject({ name: 'MissingEvents', prevEvents });
    const state = await Promise.all(
      [
        ['m.room.create', ''],
        ['m.room.member', alice],
        ['m.room.member', bob],
        ['m.room.power_levels', ''],
        ['m.room.join_rules', ''],
        ['m.room.topic', ''],
      ].map(async ([type, key]) => (await room.dag.currentEvent(type!, key!))!.eventId),
    );
    const placed = await room.dag.receive(merge, text, { given: new Map(prevEvents.map((id) => [id, state])) });
    expect(placed).toMatchObject({ verdict: { ok: true }, softFailed: false });
    expect(room.dag.frontier().prevEvents.map((at) => at.eventId)).toEqual([merge.eventId]);
  });

  it('is soft-failed when a policy server refused it', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '12');
    const { event, body } = await room.make('m.room.topic', '', alice, { topic: 'spam' });
    const placed = await room.dag.receive(event, body, { policyDenies: true });
    expect(placed).toMatchObject({ verdict: { ok: true }, softFailed: true, ord: null, stateChanges: [] });
    expect(await room.dag.currentEvent('m.room.topic', '')).toBeUndefined();
  });

  it('is not stored a second time', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '12');
    const { event, body } = await room.make('m.room.message', undefined, alice, { body: 'x' });
    const placed = await room.dag.receive(event, body);
    const again = await room.dag.receive(event, body);
    expect(again).toMatchObject({ nid: placed.nid, pos: placed.pos, ord: placed.ord, ticket: undefined });
  });

  it('names what has to be fetched first', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '10');
    const { event, body } = await room.make('m.room.message', undefined, alice, { body: 'x' });
    const [unknown, parent] = ['$unknown', '$parent'] as [EventId, EventId];
    const missing = { ...event, prevEvents: [parent], authEvents: [...event.authEvents, unknown] };
    const refusal = await room.dag.receive(missing, body).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MissingEvents);
    expect(refusal).toMatchObject({ authEvents: [unknown], prevEvents: [parent] });
    const strange = { ...missing, eventId: '$outlier' as EventId };
    await expect(room.dag.outlier(strange, body)).rejects.toMatchObject({ authEvents: [unknown], prevEvents: [] });
  });

  it('needs the create event that the room id names', async () => {
    const db = await engine.open();
    const elsewhere = await LocalRoom.create(dagsOver(await engine.open()), '12');
    const { event, body } = await elsewhere.make('m.room.message', undefined, alice, { body: 'x' });
    const dag = await dagsOver(db).adopt(elsewhere.dag.roomId, '12');
    const refusal = await dag.receive(event, body).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ authEvents: expect.arrayContaining(['$room-create']) as unknown });
  });

  it('leads to at most twenty parents', async () => {
    const db = await engine.open();
    const room = await LocalRoom.create(dagsOver(db), '10');
    const made = [];
    for (let i = 0; i < 25; i++) made.push(await room.make('m.room.message', undefined, alice, { body: `${i}` }));
    for (const { event, body } of made) await room.dag.receive(event, body);
    const { prevEvents } = room.dag.frontier();
    const newest = made.slice(5).map(({ event }) => event.eventId);
    expect(prevEvents.map((at) => at.eventId)).toEqual(newest.reverse());
    const merge = await room.send('m.room.message', undefined, alice, { body: 'merge' });
    expect(room.dag.frontier().prevEvents).toHaveLength(6);
    expect(room.dag.frontier().prevEvents[0]?.eventId).toBe(merge.event.eventId);
  });
});

describeOnBothEngines('fetched history', (engine) => {
  it('stands before what refers to it, and what came live after it stays where it was', async () => {
    const db = await engine.open();
    const origin = await LocalRoom.create(dagsOver(await engine.open()), '12');
    const dag = await dagsOver(db).adopt(origin.dag.roomId, '12');
    const state: EventId[] = [];
    for (const [type, key] of [
      ['m.room.create', ''],
      ['m.room.member', alice],
      ['m.room.power_levels', ''],
      ['m.room.join_rules', ''],
    ] as const) {
      const event = (await origin.dag.currentEvent(type, key))!;
      await dag.outlier(event, JSON.stringify(event.pdu));
      state.push(event.eventId);
    }
    const history = [];
    for (let i = 0; i < 6; i++) {
      const sent = await origin.send('m.room.message', undefined, alice, { body: `${i}` });
      history.push(sent.event);
    }
    const newest = history.pop()!;
    const given = (id: EventId) => new Map([[id, state]]);
    const live = await dag.receive(newest, JSON.stringify(newest.pdu), { given: given(newest.prevEvents[0]!) });
    let below = live.ord!;
    for (const event of history.reverse()) {
      const options = { backfill: true, given: given(event.prevEvents[0]!) };
      const placed = await dag.receive(event, JSON.stringify(event.pdu), options);
      expect(placed.ord).toBeLessThan(below);
      below = placed.ord!;
    }
    expect(dag.frontier().prevEvents.map((at) => at.eventId)).toEqual([newest.eventId]);
    expect(dag.notifySeq()).toBe(0);
  });
});
