/** How somebody learns that they are out of a room whose graph here does not say so: an invite was rejected, or taken back. */
import type { RoomDag } from '../rooms/dag/contract.ts';
import { findForeignDeparture } from '../rooms/foreign-memberships.ts';
import { membershipIn } from '../rooms/membership.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { renderEvent } from './event-fragments.ts';
import type { TimelineEvent } from './room-timeline.ts';
import type { SyncContext } from './sync-request.ts';

/** undefined: the room's graph says it, or they are not out of it. */
export async function foreignDepartureEvent(
  { rooms, fragments }: Pick<SyncContext, 'rooms' | 'fragments'>,
  dag: RoomDag,
  userNid: number,
  nowMs: number,
): Promise<TimelineEvent | undefined> {
  const departure = await findForeignDeparture(rooms, dag, userNid);
  if (departure === undefined) return undefined;
  const { event, pos } = departure;
  const fragment = fragments.ofAlone(event, dag.rules, await rooms.names.userNid(event.sender));
  const text = renderEvent(fragment, nowMs, { membership: membershipIn(event), seesPrevious: false });
  return { nid: fragment.nid, ord: firstOrdAfter(pos - 1), fragment, text };
}
