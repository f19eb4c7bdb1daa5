/** Aliases and the published room directory. */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface AliasRow {
  readonly room: number;
  readonly room_id: string;
  /** user_nid */
  readonly creator: number;
}
export const aliasByName = defineRead<{ alias: string }, AliasRow>('directory.aliasByName', (q, p) =>
  q
    .selectFrom('room_alias as a')
    .innerJoin('room as r', 'r.room', 'a.room')
    .select(['a.room', 'r.room_id', 'a.creator'])
    .where('a.alias', '=', p.alias),
);
export const aliasesOfRoom = defineRead<{ room: number }, { alias: string }>('directory.aliasesOfRoom', (q, p) =>
  q.selectFrom('room_alias').select('alias').where('room', '=', p.room).orderBy('alias'),
);
/** Fails as UniqueViolation when the alias is taken. */
export const insertAlias = defineWrite<{ alias: string; room: number; creator: number }>(
  'directory.insertAlias',
  (q, p) => q.insertInto('room_alias').values({ alias: p.alias, room: p.room, creator: p.creator }),
);
export const deleteAlias = defineWrite<{ alias: string }>('directory.deleteAlias', (q, p) =>
  q.deleteFrom('room_alias').where('alias', '=', p.alias),
);
export const moveAliases = defineWrite<{ from: number; to: number }>('directory.moveAliases', (q, p) =>
  q.updateTable('room_alias').set({ room: p.to }).where('room', '=', p.from),
);
export const publishRoom = defineWrite<{ room: number }>('directory.publish', (q, p) =>
  q
    .insertInto('published_room')
    .values({ room: p.room })
    .onConflict((conflict) => conflict.doNothing()),
);
export const unpublishRoom = defineWrite<{ room: number }>('directory.unpublish', (q, p) =>
  q.deleteFrom('published_room').where('room', '=', p.room),
);
export const publishedRoom = defineRead<{ room: number }, { room: number }>('directory.publishedRoom', (q, p) =>
  q.selectFrom('published_room').select('room').where('room', '=', p.room),
);
export const publishedRoomsAfter = defineRead<{ room: number; limit: number }, { room: number }>(
  'directory.publishedRoomsAfter',
  (q, p) =>
    q.selectFrom('published_room').select('room').where('room', '>', p.room).orderBy('room').limit(bigint(p.limit)),
);

/**
 * Of many rooms at once: the events that these keys have in the current state. CROSS JOIN because SQLite keeps its order: a
 * few seeks for each key of each room. A main line is a root, so it has all of the state.
 */
export const currentStateOfRooms = defineRead<
  { rooms: readonly number[]; skeys: readonly number[] },
  { room: number; skey: number; body: Buffer }
>('directory.currentStateOfRooms', (q, p) =>
  q
    .selectFrom('room as r')
    .crossJoin('state_key as k')
    .crossJoin('state_change as c')
    .crossJoin('event_body as b')
    .select(['r.room', 'c.skey', 'b.body'])
    .where('r.room', 'in', p.list('rooms'))
    .where('k.skey', 'in', p.list('skeys'))
    .whereRef('c.line', '=', 'r.main_line')
    .whereRef('c.skey', '=', 'k.skey')
    .where('c.pos', '=', (eb) =>
      eb
        .selectFrom('state_change as d')
        .select((eb) => eb.fn.max('d.pos').as('pos'))
        .whereRef('d.line', '=', 'r.main_line')
        .whereRef('d.skey', '=', 'k.skey'),
    )
    .whereRef('b.nid', '=', 'c.event'),
);
export const roomIdsOf = defineRead<{ rooms: readonly number[] }, { room: number; room_id: string; version: string }>(
  'directory.roomIdsOf',
  (q, p) => q.selectFrom('room').select(['room', 'room_id', 'version']).where('room', 'in', p.list('rooms')),
);
/** Those of the rooms that are known here. */
export const roomsByIds = defineRead<{ roomIds: readonly string[] }, { room: number; room_id: string }>(
  'directory.roomsByIds',
  (q, p) => q.selectFrom('room').select(['room', 'room_id']).where('room_id', 'in', p.list('roomIds')),
);
