/** Aliases and the published room directory. */
import { defineRead, defineWrite } from '../query.ts';

export const roomOfAlias = defineRead<{ alias: string }, { room_id: string }>('directory.roomOfAlias', (q, p) =>
  q
    .selectFrom('room_alias as a')
    .innerJoin('room as r', 'r.room', 'a.room')
    .select('r.room_id')
    .where('a.alias', '=', p.alias),
);
/** Fails as UniqueViolation when the alias is taken. */
export const insertAlias = defineWrite<{ alias: string; room: number; creator: number }>(
  'directory.insertAlias',
  (q, p) => q.insertInto('room_alias').values({ alias: p.alias, room: p.room, creator: p.creator }),
);
export const publishRoom = defineWrite<{ room: number }>('directory.publish', (q, p) =>
  q
    .insertInto('published_room')
    .values({ room: p.room })
    .onConflict((conflict) => conflict.doNothing()),
);
