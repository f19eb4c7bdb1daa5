import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';

/** A join whose room's state is known in part only. */
export interface PartialJoin {
  readonly roomId: RoomId;
  /** Of the join. */
  readonly eventId: EventId;
  /** Those that are in the room, as the server through which it was made says; that one is the first. */
  readonly servers: readonly ServerName[];
}
