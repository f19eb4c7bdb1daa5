/** A room as it is on disk, for use in memory. */
import { createEventIdOfRoom } from '../../matrix/ids/room-id.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { type RoomRow, extremitiesOf, newestOfTimeline, placesByIds } from '../../storage/stores/room-graph-store.ts';
import { mainsOfRoom } from '../../storage/stores/state-line-store.ts';
import { placeFromRow } from './event-places.ts';
import type { DagServices, RoomFacts } from './hot-room.ts';
import { BEFORE_ALL, NOW } from './state-point.ts';

export async function loadRoom(services: DagServices, row: RoomRow): Promise<RoomFacts> {
  const { db } = services;
  const { room } = row;
  const rules = rulesOf(row);
  const mains = (await db.all(mainsOfRoom, { room })).map((main) => ({ fromPos: main.from_pos, line: main.line }));
  const main = mains.at(-1);
  if (main === undefined) throw new Error(`room ${row.room_id} has no main line`);
  const extremities = (await db.all(extremitiesOf, { room })).map(placeFromRow);
  const newest = (await db.one(newestOfTimeline, { room }))?.notify_seq ?? 0;
  return {
    room,
    roomId: row.room_id as RoomId,
    rules,
    mains,
    mainTipPos: (await services.lines.lastPos(main.line, NOW)) ?? BEFORE_ALL,
    extremities,
    // the newest visible event may have been purged, an extremity never is
    notifySeq: Math.max(newest, ...extremities.map((place) => place.notifySeq)),
    partialNid: row.partial_nid,
    create: await loadCreate(services, row, rules),
    isNew: false,
  };
}

/** Only where the room id names the create event. */
async function loadCreate(services: DagServices, row: RoomRow, rules: RoomVersionRules): Promise<RoomFacts['create']> {
  if (!rules.eventAuth.createEventIsRoomId) return undefined;
  const eventIds = [createEventIdOfRoom(row.room_id as RoomId)];
  const [found] = await services.db.all(placesByIds, { eventIds });
  if (found === undefined || found.room !== row.room) return undefined;
  return { place: placeFromRow(found), event: (await services.events.load([found.nid], rules)).get(found.nid)! };
}

function rulesOf(row: RoomRow): RoomVersionRules {
  const rules = findRoomVersion(row.version);
  if (rules === undefined) throw new Error(`room ${row.room_id} has the unknown version ${row.version}`);
  return rules;
}
