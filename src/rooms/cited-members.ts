/** Memberships as the events of a room say they are, where its state does not. */
import type { EventId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { placesByIds } from '../storage/stores/room-graph-store.ts';
import { type EventRow, eventsByNids } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import { pduOf } from './stored-event.ts';

/** Of the users, the membership events that these events cite as their auth events: each user's newest, as far as it is stored. */
export async function citedMembers(
  { db }: Pick<RoomsContext, 'db'>,
  nids: readonly number[],
  userIds: ReadonlySet<string>,
): Promise<EventRow[]> {
  if (nids.length === 0) return [];
  const citing = await db.all(eventsByNids, { nids: [...nids] });
  const eventIds = [...new Set(citing.flatMap((row) => authEventsOf(pduOf(row))))];
  const places = await db.all(placesByIds, { eventIds });
  const states = places.filter(({ skey, flags }) => skey !== null && (flags & EventFlag.rejected) === 0);
  const newest = new Map<string, { readonly row: EventRow; readonly depth: number }>();
  for (const row of await db.all(eventsByNids, { nids: states.map(({ nid }) => nid) })) {
    const { type, state_key: userId, depth } = pduOf(row);
    if (type !== 'm.room.member' || typeof userId !== 'string' || !userIds.has(userId)) continue;
    const at = typeof depth === 'number' ? depth : 0;
    if ((newest.get(userId)?.depth ?? -1) < at) newest.set(userId, { row, depth: at });
  }
  return [...newest.values()].map(({ row }) => row);
}

/** In the first room versions each stands beside its hash. */
function authEventsOf({ auth_events: authEvents }: JsonObject): EventId[] {
  if (!Array.isArray(authEvents)) return [];
  const ids = authEvents.map((one) => (Array.isArray(one) ? one[0] : one));
  return ids.filter((id) => typeof id === 'string') as EventId[];
}
