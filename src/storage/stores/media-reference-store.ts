/** Which events name which files, as far as it can be seen: table media_reference. */
import { sql } from 'kysely';
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { QueryBuilder } from '../database.ts';
import { bigint, defineRead, defineWrite, isForPostgres, jsonInteger, jsonRows, jsonText } from '../query.ts';

/** As what an event names a file. */
export const MediaRole = { content: 0, roomAvatar: 1, memberAvatar: 2 } as const;
export type MediaRole = (typeof MediaRole)[keyof typeof MediaRole];

export interface FollowedRow {
  readonly nid: number;
  readonly ord: number;
  readonly sender: number;
  readonly type: string;
  readonly redacted_by: number | null;
  readonly body: Buffer;
}
const followed = (q: QueryBuilder) =>
  q
    .selectFrom('event as e')
    .innerJoin('event_body as b', 'b.nid', 'e.nid')
    .select((e) => ['e.nid', e.ref('e.ord').$notNull().as('ord'), 'e.sender', 'e.type', 'e.redacted_by', 'b.body']);

/** All of a room's timeline, behind an order value. */
export const eventsAfter = defineRead<{ room: number; ord: number; limit: number }, FollowedRow>(
  'mediaReference.eventsAfter',
  (q, p) => followed(q).where('e.room', '=', p.room).where('e.ord', '>', p.ord).orderBy('e.ord').limit(bigint(p.limit)),
);
/** Those that came in after a position and stand elsewhere in the timeline. */
export const eventsElsewhere = defineRead<{ room: number; pos: number }, FollowedRow>(
  'mediaReference.eventsElsewhere',
  (q, p) =>
    followed(q)
      .where('e.room', '=', p.room)
      .where('e.pos', '>', p.pos)
      .where(sql<boolean>`e.pos is not null and (e.ord is null or e.ord <> e.pos * 1024)`)
      .where('e.ord', 'is not', null),
);

/** `rows`: JSON of [nid, origin, media_id, role]. Only of events that are in a timeline and not redacted. */
export const insertMediaReferences = defineWrite<{ rows: string }>(
  'mediaReference.insert',
  (q, p) => sql`insert into media_reference (origin, media_id, nid, room, sender, role)
    select ${jsonText(1)}, ${jsonText(2)}, n.nid, n.room, n.sender, ${jsonInteger(3)}
    from ${jsonRows(q, p.rows)} join event as n on n.nid = ${jsonInteger(0)}
    where n.ord is not null and n.redacted_by is null
    on conflict (origin, media_id, nid) do nothing`,
);
export const deleteMediaReferences = defineWrite<{ nids: readonly number[] }>('mediaReference.delete', (q, p) =>
  q.deleteFrom('media_reference').where('nid', 'in', p.list('nids')),
);

export interface NamedMedia {
  readonly origin: ServerName;
  readonly media_id: string;
}

/** The files that a room's events name, each once, behind one of them. Pictures of members are not the room's. */
export const mediaOfRoom = defineRead<{ room: number; origin: string; mediaId: string; limit: number }, NamedMedia>(
  'mediaReference.ofRoom',
  (_q, p) => sql<NamedMedia>`select origin, media_id from media_reference
    where room = ${p.room} and role < 2 and (origin, media_id) > (${p.origin}, ${p.mediaId})
    group by origin, media_id order by origin, media_id limit ${bigint(p.limit)}`,
);

/** How much the files have together that a room's events name. */
export const roomUsage = defineRead<{ room: number }, { bytes: number }>(
  'mediaReference.roomUsage',
  (_q, p) => sql<{ bytes: number }>`select cast(coalesce(sum(m.bytes), 0) as bigint) as bytes
    from (select distinct origin, media_id from media_reference where room = ${p.room} and role < 2) as r
    join media as m on m.origin = r.origin and m.media_id = r.media_id`,
);
/** The same of those of some files that no event of the room names yet; `rows`: JSON of [origin, media_id], each once. */
export const bytesNewToRoom = defineRead<{ room: number; rows: string }, { bytes: number }>(
  'mediaReference.bytesNewToRoom',
  (q, p) => sql<{ bytes: number }>`select cast(coalesce(sum(m.bytes), 0) as bigint) as bytes
    from ${jsonRows(q, p.rows)} join media as m on m.origin = ${jsonText(0)} and m.media_id = ${jsonText(1)}
    where not exists (select 1 from media_reference as r ${isForPostgres(q) ? sql`` : sql`indexed by media_reference_by_room`}
      where r.room = ${p.room} and r.role < 2 and r.origin = m.origin and r.media_id = m.media_id)`,
);
