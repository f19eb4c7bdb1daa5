import { expect, it } from 'vitest';
import { describeReport } from '../../../src/commands/verify-state.ts';
import { createRoomDags } from '../../../src/rooms/dag/room-dags.ts';
import { verifyRoom } from '../../../src/rooms/dag/verify-room.ts';
import type { Database } from '../../../src/storage/database.ts';
import { Names } from '../../../src/storage/names.ts';
import { openDatabase } from '../../../src/storage/open.ts';
import { defineWrite } from '../../../src/storage/query.ts';
import { openSnapshot } from '../../../src/storage/snapshot.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { LocalRoom } from './support/test-room.ts';

const alice = '@alice:one';
const bob = '@bob:two';

/** With a fork that was merged, so that not everything is on the tip. */
async function makeRoom(db: Database): Promise<LocalRoom> {
  const room = await LocalRoom.create(createRoomDags(db, new Names(db)), '12');
  await room.send('m.room.member', bob, bob, { membership: 'join' });
  const late = await room.make('m.room.member', bob, bob, { membership: 'join', displayname: 'Bob' });
  await room.send('m.room.topic', '', alice, { topic: 'topic' });
  await room.dag.receive(late.event, late.body);
  await room.send('m.room.message', undefined, alice, { body: 'merge' });
  await db.drained();
  return room;
}

const swapEvents = defineWrite<{ from: number; to: number }>('spec.swapEvents', (q, p) =>
  q.updateTable('state_change').set({ event: p.to }).where('event', '=', p.from),
);
const swapExtremity = defineWrite<{ to: number }>('spec.swapExtremity', (q, p) =>
  q.updateTable('extremity').set({ nid: p.to }),
);

describeOnBothEngines('verifyRoom', (engine) => {
  it('finds a room in order while the server has it open, and tells its size', async () => {
    const options = await engine.freshOptions();
    const db = await openDatabase(options, testPorts());
    const snapshot = await (async () => {
      const room = await makeRoom(db);
      const opened = await openSnapshot(options);
      // what comes later is not of that moment
      await opened.all(await import('../../../src/storage/stores/room-graph-store.ts').then((s) => s.roomByNid), {
        room: 0,
      });
      await room.send('m.room.topic', '', alice, { topic: 'later' });
      await db.drained();
      return { opened, roomId: room.dag.roomId };
    })();
    const report = await verifyRoom(snapshot.opened, snapshot.roomId);
    expect(report).toMatchObject({ events: 8, taken: 0, extremities: 1, stateKeys: 6, problems: [], differences: [] });
    expect(report!.size.rows).toBeGreaterThanOrEqual(7);
    expect(report!.size.bytes).toBeGreaterThan(report!.size.rows * 10);
    expect(describeReport(snapshot.roomId, report!).at(-1)).toBe('Everything is as it should be.');
    expect(await verifyRoom(snapshot.opened, '!other:one' as never)).toBeUndefined();
    await snapshot.opened.close();
    await db.close();
  });

  it('finds a wrong event in the state', async () => {
    const db = await engine.open();
    const room = await makeRoom(db);
    const topic = await room.send('m.room.topic', '', alice, { topic: 'right' });
    const { previousNid } = topic.placed.stateChanges[0]!;
    await db.drained();
    await db.write((unit) => unit.run(swapEvents, { from: topic.placed.nid, to: previousNid! })).committed;
    const report = await verifyRoom(db, room.dag.roomId);
    // every verdict comes out as before, so a state that does not is wrong and no matter of opinion
    expect(report!.differences).toEqual([]);
    expect(report!.problems.join()).toContain(topic.event.eventId);
    expect(describeReport(room.dag.roomId, report!).join('\n')).toContain('wrong:');
  });

  it('finds a wrong forward extremity', async () => {
    const db = await engine.open();
    const room = await makeRoom(db);
    const message = await room.send('m.room.message', undefined, alice, { body: 'x' });
    const newest = await room.send('m.room.message', undefined, alice, { body: 'y' });
    await db.drained();
    await db.write((unit) => unit.run(swapExtremity, { to: message.placed.nid })).committed;
    const { problems } = (await verifyRoom(db, room.dag.roomId))!;
    expect(problems).toEqual([
      `${message.event.eventId} should not be a forward extremity`,
      `${newest.event.eventId} should be a forward extremity`,
    ]);
    expect(describeReport(room.dag.roomId, (await verifyRoom(db, room.dag.roomId))!)).toContain('2 things are wrong:');
  });
});
