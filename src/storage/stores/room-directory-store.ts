/** Aliases and the published room directory. */
import { defineRead, defineWrite } from '../query.ts';

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
export const publishRoom = defineWrite<{ room: number }>('directory.publish', (q, p) =>
  q
    .insertInto('published_room')
    .values({ room: p.room })
    .onConflict((conflict) => conflict.doNothing()),
);
