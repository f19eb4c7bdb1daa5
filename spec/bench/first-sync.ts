/** The first /sync of somebody in many rooms with many members each, with all members and with those that are needed. */
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { type Case, compared } from './growth.ts';
import type { Measurement, Scenario } from './measurement.ts';
import { normalised } from './reference.ts';
import { firstOf, inGroups, inWorkshop } from './workshop.ts';

const firstSyncMaxUs = 60_000;
/** As many as a client asks for, by a filter of its own each time. */
const timelineLimit = 20;

export const firstSync: Scenario = (bench) =>
  inWorkshop(bench, async ({ rooms }) => {
    const { rooms: roomCount, members: memberCount, syncs } = bench.sizes.firstSync;
    bench.say(`first sync: ${roomCount} rooms with ${memberCount} members each`);
    const members = await Promise.all(
      Array.from({ length: memberCount }, (_, at) => rooms.user(`first-${String(at)}`)),
    );
    const user = firstOf(members);
    const roomIds = await Promise.all(
      Array.from({ length: roomCount }, (_, at) => rooms.createRoom(user, { name: `Room ${String(at)}` })),
    );
    for (const member of members.slice(1))
      await inGroups(roomIds, (roomId) => rooms.rooms.joinRoom(member, { roomId }));
    await inGroups(roomIds, async (roomId, at) => {
      for (let said = 0; said < 3; said++)
        await rooms.say(members[(at + said) % memberCount] ?? user, roomId, `message ${String(said)} of ${String(at)}`);
    });
    const caseOf = (size: string, state: JsonObject): Case => ({
      size,
      prepare: (index) => {
        const filter = { room: { state, timeline: { limit: timelineLimit + (index % 2) } } };
        return Promise.resolve(async () => void (await rooms.syncText(user, undefined, { filter })));
      },
    });
    const found = await compared({ ...bench, sizes: { ...bench.sizes, lookUps: syncs } }, [
      caseOf('members as needed', { lazy_load_members: true }),
      caseOf('all members', {}),
    ]);
    return found.map(({ size, us, signUs }): Measurement => ({
      scenario: 'first-sync',
      what: `first sync of ${roomCount} rooms with ${memberCount} members each: ${size}`,
      unit: 'µs',
      value: us,
      normalised: normalised(us, signUs),
      atMost: firstSyncMaxUs,
    }));
  });
