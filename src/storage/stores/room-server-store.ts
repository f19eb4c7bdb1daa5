/** Which servers are in a room: `room_server`. */
import { defineRead } from '../query.ts';

/** A row if one of the servers has a joined user in the room. */
export const serverJoinedIn = defineRead<{ room: number; servers: readonly number[] }, { joined: number }>(
  'roomServer.joinedIn',
  (q, p) =>
    q
      .selectFrom('room_server')
      .select('joined')
      .where('room', '=', p.room)
      .where('server_nid', 'in', p.list('servers'))
      .where('joined', '>', 0)
      .limit(1),
);
