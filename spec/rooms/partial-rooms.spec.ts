import { expect, it } from 'vitest';
import type { EventId, ServerName } from '../../src/matrix/ids/ids.ts';
import { federationLimits } from '../../src/platform/federation-limits.ts';
import { PartialRooms } from '../../src/rooms/partial-rooms.ts';
import { Names } from '../../src/storage/names.ts';
import { describeOnBothEngines } from '../support/databases.ts';

describeOnBothEngines('rooms that were joined before their members were known', (engine) => {
  it('say of one server whether it is said to be in them, until they are whole', async () => {
    const db = await engine.open();
    const names = new Names(db, 1_000);
    const rooms = new PartialRooms(db, names);
    const [far = 0, other = 0, stranger = 0] = await names.serverNids([
      'far.test',
      'other.test',
      'stranger.test',
    ] as ServerName[]);
    const begun = { room: 1, joinId: '$join' as EventId, startedTs: 0 };
    await db.write((unit) => rooms.writeBegun(unit, begun, [far, other])).committed;
    const said = (room: number) => Promise.all([far, other, stranger].map((nid) => rooms.isSaidToBeIn(room, nid)));
    expect(await said(1)).toEqual([true, true, false]);
    expect(await said(2)).toEqual([false, false, false]);
    await db.write((unit) => rooms.writeFilled(unit, { ...begun, filledPos: undefined }, unit.nextPos())).committed;
    expect(await said(1)).toEqual([false, false, false]);
    rooms.close();
  });

  it('let a bounded number wait for each of them, so that one that stays as it is keeps none from the others', async () => {
    const db = await engine.open();
    const rooms = new PartialRooms(db, new Names(db, 1_000));
    for (const room of [1, 2])
      await db.write((unit) => rooms.writeBegun(unit, { room, joinId: '$join' as EventId, startedTs: 0 }, []))
        .committed;
    const all = Array.from({ length: federationLimits.partialRoomWaitersOfRoomMax }, () => rooms.whole(1));
    await expect(rooms.whole(1)).rejects.toMatchObject({ status: 503 });
    const other = rooms.whole(2);
    for (const room of [1, 2]) await rooms.abandon(room);
    await Promise.all([...all, other]);
    rooms.close();
  });
});
