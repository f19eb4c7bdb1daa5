/** What simplified sliding sync reads of a user's rooms, and its connections: tables sliding_connection and sliding_base. */
import { bigint, defineRead, defineWrite } from '../query.ts';

/** All rooms of a user, with the place of the newest event of those that they are joined to. */
export const roomActivities = defineRead<{ user: number }, { room: number; room_id: string; ord: number | null }>(
  'sliding.roomActivities',
  (q, p) =>
    q
      .selectFrom('user_room as u')
      .innerJoin('room as r', 'r.room', 'u.room')
      .select((e) => [
        'u.room',
        'r.room_id',
        e
          .selectFrom('event')
          .select('event.ord')
          .whereRef('event.room', '=', 'u.room')
          .where('u.membership', '=', 'join')
          .where('event.ord', 'is not', null)
          .orderBy('event.ord', 'desc')
          .limit(1)
          .as('ord'),
      ])
      .where('u.user_nid', '=', p.user),
);

export const newestEventOf = defineRead<{ room: number }, { ord: number | null }>('sliding.newestEventOf', (q, p) =>
  q
    .selectFrom('event')
    .select('ord')
    .where('room', '=', p.room)
    .where('ord', 'is not', null)
    .orderBy('ord', 'desc')
    .limit(1),
);

/** Who sent the membership event that a user has in a room. */
export const standingSender = defineRead<{ user: number; room: number }, { sender: number }>(
  'sliding.standingSender',
  (q, p) =>
    q
      .selectFrom('user_room as u')
      .innerJoin('event as e', 'e.nid', 'u.event')
      .select('e.sender')
      .where('u.user_nid', '=', p.user)
      .where('u.room', '=', p.room),
);

/** Types of the newest events of a room below a place, the newest first. */
export const eventTypesBackwards = defineRead<
  { room: number; before: number; limit: number },
  { ord: number; type: string }
>('sliding.eventTypesBackwards', (q, p) =>
  q
    .selectFrom('event')
    .select((e) => ['type', e.ref('ord').$castTo<number>().as('ord')])
    .where('room', '=', p.room)
    .where('ord', 'is not', null)
    .where('ord', '<', p.before)
    .orderBy('ord', 'desc')
    .limit(bigint(p.limit)),
);

/** The same of many rooms, of the newest events: at most `limit` of each. */
export const newestEventTypes = defineRead<
  { rooms: readonly number[]; limit: number },
  { room: number; ord: number; type: string }
>('sliding.newestEventTypes', (q, p) =>
  q
    .selectFrom('room as r')
    .innerJoin('event as e', 'e.room', 'r.room')
    .select((x) => ['e.room', x.ref('e.ord').$castTo<number>().as('ord'), 'e.type'])
    .where('r.room', 'in', p.list('rooms'))
    .where('e.ord', '>', (x) =>
      x.fn.coalesce(
        x
          .selectFrom('event as d')
          .select('d.ord')
          .whereRef('d.room', '=', 'r.room')
          .where('d.ord', 'is not', null)
          .orderBy('d.ord', 'desc')
          .limit(1)
          .offset(bigint(p.limit)),
        x.lit(-1),
      ),
    )
    .orderBy('e.ord', 'desc'),
);

/** One type of account data of all rooms of a user. */
export const accountDataOfType = defineRead<{ user: number; type: string }, { room: number; json: string | null }>(
  'sliding.accountDataOfType',
  (q, p) =>
    q.selectFrom('account_data').select(['room', 'json']).where('user_nid', '=', p.user).where('type', '=', p.type),
);

export interface SlidingConnectionRow {
  readonly connection: number;
  readonly conn_id: string;
  readonly used_ts: number;
}

/** The one that was used last first. */
export const connectionsOfDevice = defineRead<{ device: number }, SlidingConnectionRow>(
  'sliding.connectionsOfDevice',
  (q, p) =>
    q
      .selectFrom('sliding_connection')
      .select(['connection', 'conn_id', 'used_ts'])
      .where('device_nid', '=', p.device)
      .orderBy('used_ts', 'desc')
      .orderBy('connection', 'desc'),
);

/** `base`: what was written whole; `tail`: what changed since. Both JSON. */
export const connectionState = defineRead<
  { device: number; connId: string },
  { connection: number; base: string | null; tail: string }
>('sliding.connectionState', (q, p) =>
  q
    .selectFrom('sliding_connection as c')
    .leftJoin('sliding_base as b', 'b.connection', 'c.connection')
    .select(['c.connection', 'b.base', 'c.tail'])
    .where('c.device_nid', '=', p.device)
    .where('c.conn_id', '=', p.connId),
);

export const putConnection = defineWrite<{
  connection: number;
  device: number;
  connId: string;
  usedTs: number;
  tail: string;
}>('sliding.putConnection', (q, p) =>
  q
    .insertInto('sliding_connection')
    .values({ connection: p.connection, device_nid: p.device, conn_id: p.connId, used_ts: p.usedTs, tail: p.tail })
    .onConflict((conflict) =>
      conflict
        .column('connection')
        .doUpdateSet((e) => ({ used_ts: e.ref('excluded.used_ts'), tail: e.ref('excluded.tail') })),
    ),
);

export const putConnectionBase = defineWrite<{ connection: number; base: string }>('sliding.putBase', (q, p) =>
  q
    .insertInto('sliding_base')
    .values({ connection: p.connection, base: p.base })
    .onConflict((conflict) => conflict.column('connection').doUpdateSet((e) => ({ base: e.ref('excluded.base') }))),
);

export const dropConnections = defineWrite<{ connections: readonly number[] }>('sliding.dropConnections', (q, p) =>
  q.deleteFrom('sliding_connection').where('connection', 'in', p.list('connections')),
);
export const dropBases = defineWrite<{ connections: readonly number[] }>('sliding.dropBases', (q, p) =>
  q.deleteFrom('sliding_base').where('connection', 'in', p.list('connections')),
);

/** The bases first: they are found by their connections. */
export const deleteBasesOfDevices = defineWrite<{ devices: readonly number[] }>(
  'sliding.deleteBasesOfDevices',
  (q, p) =>
    q
      .deleteFrom('sliding_base')
      .where('connection', 'in', (e) =>
        e.selectFrom('sliding_connection').select('connection').where('device_nid', 'in', p.list('devices')),
      ),
);
export const deleteConnectionsOfDevices = defineWrite<{ devices: readonly number[] }>(
  'sliding.deleteOfDevices',
  (q, p) => q.deleteFrom('sliding_connection').where('device_nid', 'in', p.list('devices')),
);

export const unusedConnections = defineRead<{ before: number; limit: number }, { connection: number }>(
  'sliding.unused',
  (q, p) =>
    q.selectFrom('sliding_connection').select('connection').where('used_ts', '<', p.before).limit(bigint(p.limit)),
);
