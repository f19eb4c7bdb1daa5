/** Which files and thumbnails nobody has used for a while, and deleting them while that is so. */
import { type Expression, expressionBuilder, type RawBuilder, sql, type SqlBool } from 'kysely';
import type { QueryBuilder } from '../database.ts';
import type { Schema } from '../schema.ts';
import { bigint, defineRead, defineWrite, isForPostgres, jsonInteger, jsonRows, type Placeholders } from '../query.ts';

/** What a file must be to go. */
export interface IdleFilter {
  /** The names of this server. */
  readonly localNames: readonly string[];
  /** 1: files of users here; 0: copies of other servers' files. */
  readonly local: number;
  /** Milliseconds since the Unix epoch: nobody has used it since. */
  readonly before: number;
  /** The same less a day, because of the last use the day is known. */
  readonly beforeDay: number;
  /** 1: also those that are protected. */
  readonly protected: number;
  /** 1: pictures of users, of rooms and of their members stay, as long as they are. */
  readonly keepsAvatars: number;
  /** 1: what is named stays, and what may be named where nobody can see it. */
  readonly keepsNamed: number;
}

export interface IdleRow {
  readonly origin: string;
  readonly media_id: string;
  readonly sha256: Buffer;
  readonly bytes: number;
  /** What the rows are ordered by first. */
  readonly used: number;
  /** 0: something keeps it. */
  readonly deletable: number;
}

/** Files of which nobody knows a use after `afterUsed`, longest unused first, and which of them may go. */
export const idleMedia = defineRead<IdleFilter & { afterUsed: number; limit: number }, IdleRow>(
  'media.idle',
  (
    q,
    p,
  ) => sql<IdleRow>`${idleColumns(q, p)} where m.sha256 is not null and ${used} < ${p.before} and ${used} > ${p.afterUsed}
    order by ${used}, m.origin, m.media_id limit ${bigint(p.limit)}`,
);

/** Those of the same time behind one of them. A question by itself, because no engine finds its place in both at once. */
export const idleMediaOfSameTime = defineRead<
  IdleFilter & { used: number; afterOrigin: string; afterMediaId: string; limit: number },
  IdleRow
>(
  'media.idleOfSameTime',
  (q, p) => sql<IdleRow>`${idleColumns(q, p)} where m.sha256 is not null and ${used} = ${p.used}
      and (m.origin, m.media_id) > (${p.afterOrigin}, ${p.afterMediaId})
    order by m.origin, m.media_id limit ${bigint(p.limit)}`,
);

/** Changes nothing where somebody has used or named it meanwhile. */
export const deleteIdleMedia = defineWrite<IdleFilter & { origin: string; mediaId: string; sha256: Buffer }>(
  'media.deleteIdle',
  (q, p) => sql`delete from media as m
    where m.origin = ${p.origin} and m.media_id = ${p.mediaId} and m.sha256 = ${p.sha256} and ${isDeletable(q, p)}`,
);

type FilterPlaceholders = Placeholders<IdleFilter>;

/** As the index media_by_use has it. */
const used = sql<number>`coalesce(m.last_access_ts, m.created_ts)`;

const idleColumns = (q: QueryBuilder, p: FilterPlaceholders): RawBuilder<unknown> =>
  sql`select m.origin, m.media_id, m.sha256, m.bytes, ${used} as used, case when ${isDeletable(q, p)} then 1 else 0 end as deletable
    from media as m`;

/** Of media as m. What is in quarantine stays, so that it stays known. */
const isDeletable = (q: QueryBuilder, p: FilterPlaceholders): RawBuilder<boolean> => sql<boolean>`(
  m.created_ts < ${p.before} and (m.last_access_ts is null or m.last_access_ts <= ${p.beforeDay})
  and m.quarantined_by is null and (m.protected = 0 or ${bigint(p.protected)} = 1)
  and ((${bigint(p.local)} = 1 and m.user_nid is not null and ${isOfThisServer(p)})
    or (${bigint(p.local)} = 0 and not ${isOfThisServer(p)}))
  and (${bigint(p.keepsAvatars)} = 0 or not (${isAvatarOfUser} or ${isAvatarInRoom}))
  and (${bigint(p.keepsNamed)} = 0 or not (${isNamed(q)} or ${mayBeNamedUnseen} or ${isAvatarOfUser})))`;

const isOfThisServer = (p: FilterPlaceholders): Expression<SqlBool> =>
  expressionBuilder<{ m: Schema['media'] }, 'm'>()('m.origin', 'in', p.list('localNames'));

const isAvatarOfUser = sql<boolean>`exists (select 1 from profile_field as f
  where f.name = 'avatar_url' and f.value = '"mxc://' || m.origin || '/' || m.media_id || '"')`;

/** An event names it as a picture, and no later one has taken its place in the present state. */
const isAvatarInRoom = sql<boolean>`exists (select 1 from media_reference as r join event as e on e.nid = r.nid
    join room as t on t.room = r.room
  where r.origin = m.origin and r.media_id = m.media_id and r.role > 0 and not exists (select 1 from state_change as c
    where c.line = t.main_line and c.skey = e.skey and (c.event is null or c.event <> r.nid)
      and c.pos = (select max(d.pos) from state_change as d where d.line = t.main_line and d.skey = e.skey)))`;

/** By an event, or by what its uploader has set for themselves. */
const isNamed = (q: QueryBuilder): RawBuilder<boolean> => sql<boolean>`(
  exists (select 1 from media_reference as r where r.origin = m.origin and r.media_id = m.media_id)
  or exists (select 1 from profile_field as f where f.user_nid = m.user_nid and ${holdsUri(q, sql`f.value`)})
  or exists (select 1 from account_data as a where a.user_nid = m.user_nid and ${holdsUri(q, sql`a.json`)}))`;

const holdsUri = (q: QueryBuilder, text: RawBuilder<unknown>): RawBuilder<boolean> =>
  isForPostgres(q)
    ? sql<boolean>`strpos(${text}, 'mxc://' || m.origin || '/' || m.media_id) > 0`
    : sql<boolean>`instr(${text}, 'mxc://' || m.origin || '/' || m.media_id) > 0`;

/** Who uploaded it has sent encrypted events; of another server's file anybody may have. */
const mayBeNamedUnseen = sql<boolean>`(exists (select 1 from encrypted_sender as s where s.user_nid = m.user_nid)
  or (m.user_nid is null and exists (select 1 from encrypted_sender)))`;

export interface IdleThumbnailRow {
  readonly source: Buffer;
  readonly width: number;
  readonly height: number;
  readonly method: string;
  readonly animated: number;
  readonly sha256: Buffer;
  readonly bytes: number;
}
/** Some of those that nobody has used since the end of a day. */
export const idleThumbnails = defineRead<{ beforeDay: number; limit: number }, IdleThumbnailRow>(
  'thumbnail.idle',
  (q, p) =>
    q
      .selectFrom('thumbnail')
      .select(['source', 'width', 'height', 'method', 'animated', 'sha256', 'bytes'])
      .where('used_ts', '<=', p.beforeDay)
      .orderBy('used_ts')
      .limit(bigint(p.limit)),
);

interface ThumbnailKey {
  source: Buffer;
  width: number;
  height: number;
  method: string;
  animated: number;
}
/** Changes nothing where somebody has used it meanwhile. */
export const deleteIdleThumbnail = defineWrite<ThumbnailKey & { beforeDay: number }>('thumbnail.deleteIdle', (q, p) =>
  q
    .deleteFrom('thumbnail')
    .where('source', '=', p.source)
    .where('width', '=', p.width)
    .where('height', '=', p.height)
    .where('method', '=', p.method)
    .where('animated', '=', p.animated)
    .where('used_ts', '<=', p.beforeDay),
);

export const noteThumbnailUse = defineWrite<ThumbnailKey & { day: number }>('thumbnail.noteUse', (q, p) =>
  q
    .updateTable('thumbnail')
    .set({ used_ts: p.day })
    .where('source', '=', p.source)
    .where('width', '=', p.width)
    .where('height', '=', p.height)
    .where('method', '=', p.method)
    .where('animated', '=', p.animated)
    .where('used_ts', '<', p.day),
);

/** Users who have sent encrypted events, JSON of [user_nid]; who is there already stays. */
export const insertEncryptedSenders = defineWrite<{ rows: string }>(
  'encryptedSender.insert',
  (q, p) => sql`insert into encrypted_sender (user_nid) select distinct ${jsonInteger(0)} from ${jsonRows(q, p.rows)}
    where true on conflict (user_nid) do nothing`,
);
