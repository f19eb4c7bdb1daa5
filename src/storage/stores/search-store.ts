/** Full-text search: search_entry (FTS5 on SQLite, a tsvector on PostgreSQL). */
import { sql } from 'kysely';
import type { QueryBuilder } from '../database.ts';
import { bigint, defineRead, defineWrite, isForPostgres, jsonInteger, jsonRows, jsonText } from '../query.ts';

/**
 * Those whose events are in a timeline and not redacted. `rows`: JSON of [nid, words], the words separated by spaces (SQLite) or as a
 * tsvector (PostgreSQL); each nid once. Entries that are there have to be deleted before. One statement for many, because
 * the index of SQLite is written out at the end of each.
 */
export const insertSearchEntries = defineWrite<{ rows: string }>('search.insertEntries', (q, p) =>
  isForPostgres(q)
    ? sql`insert into search_entry (nid, words) select n.nid, cast(${jsonText(1)} as tsvector)
        from ${jsonRows(q, p.rows)}, event as n
        where n.nid = ${jsonInteger(0)} and n.ord is not null and n.redacted_by is null`
    : sql`insert into search_entry (rowid, words) select n.nid, ${jsonText(1)}
        from ${jsonRows(q, p.rows)} cross join event as n
        where n.nid = ${jsonInteger(0)} and n.ord is not null and n.redacted_by is null`,
);
export const deleteSearchEntries = defineWrite<{ nids: readonly number[] }>('search.deleteEntries', (q, p) =>
  q.deleteFrom('search_entry').where(isForPostgres(q) ? 'nid' : 'rowid', 'in', p.list('nids')),
);

export interface SearchMatch {
  readonly nid: number;
  readonly room: number;
  readonly sender: number;
  readonly type: string;
  readonly pos: number | null;
  readonly ord: number | null;
  readonly flags: number;
  /** The higher, the closer; 0 where it is not asked for. */
  readonly rank: number;
}
interface RankOfMatch {
  readonly nid: number;
  readonly rank: number;
}
interface Match {
  /** In the engine's own query language. */
  match: string;
  /** Only entries of events with a lower nid. */
  before: number;
  limit: number;
}
/**
 * The newest first, by nid; `rank` is 0. An engine gathers all entries that fit before it gives the first one, so one
 * question for many costs little more than one for few. CROSS JOIN because SQLite keeps its order.
 */
export const searchMatches = defineRead<Match, SearchMatch>('search.matches', (q, p) =>
  isForPostgres(q)
    ? sql<SearchMatch>`select e.nid, e.room, e.sender, e.type, e.pos, e.ord, e.flags, 0 as rank from (
          select s.nid from search_entry as s
          where s.words @@ cast(cast(${p.match} as text) as tsquery) and s.nid < ${p.before}
          order by s.nid desc limit ${bigint(p.limit)}
        ) as s join event as e on e.nid = s.nid order by e.nid desc`
    : sql<SearchMatch>`select e.nid, e.room, e.sender, e.type, e.pos, e.ord, e.flags, 0 as rank from search_entry cross join event as e
        where search_entry match ${p.match} and search_entry.rowid < ${p.before} and e.nid = search_entry.rowid
        order by search_entry.rowid desc limit ${p.limit}`,
);
/** How close some of the entries that fit are; `rows`: JSON of [nid], between `first` and `last`. */
export const ranksOfMatches = defineRead<{ match: string; first: number; last: number; rows: string }, RankOfMatch>(
  'search.ranksOfMatches',
  (q, p) =>
    isForPostgres(q)
      ? sql<RankOfMatch>`select s.nid, cast(ts_rank(s.words, cast(cast(${p.match} as text) as tsquery)) as double precision) as rank
        from ${jsonRows(q, p.rows)} join search_entry as s on s.nid = ${jsonInteger(0)}
        where s.nid >= ${p.first} and s.nid <= ${p.last}`
      : sql<RankOfMatch>`select search_entry.rowid as nid, -bm25(search_entry) as rank from search_entry
        where search_entry match ${p.match} and search_entry.rowid >= ${p.first} and search_entry.rowid <= ${p.last}
          and +search_entry.rowid in (select ${jsonInteger(0)} from ${jsonRows(q, p.rows)})`,
);

const searchedTypes = ['m.room.message', 'm.room.name', 'm.room.topic', 'm.room.encryption', 'm.room.redaction'];

export interface SearchableRow {
  readonly nid: number;
  readonly room: number;
  readonly ord: number;
  readonly type: string;
  readonly skey: number | null;
  readonly redacted_by: number | null;
  readonly body: Buffer;
}
const searchable = (q: QueryBuilder) =>
  q
    .selectFrom('event as e')
    .innerJoin('event_body as b', 'b.nid', 'e.nid')
    .select((e) => [
      'e.nid',
      'e.room',
      e.ref('e.ord').$notNull().as('ord'),
      'e.type',
      'e.skey',
      'e.redacted_by',
      'b.body',
    ])
    .where(
      'e.type',
      'in',
      searchedTypes.map((type) => sql.lit(type)),
    );

/** Of a room's timeline, behind an order value. */
export const searchableAfter = defineRead<{ room: number; ord: number; limit: number }, SearchableRow>(
  'search.searchableAfter',
  (q, p) =>
    searchable(q).where('e.room', '=', p.room).where('e.ord', '>', p.ord).orderBy('e.ord').limit(bigint(p.limit)),
);
/** Those that came in after a position and stand elsewhere in the timeline: found by no order value. */
export const searchableElsewhere = defineRead<{ room: number; pos: number }, SearchableRow>(
  'search.searchableElsewhere',
  (q, p) =>
    searchable(q)
      .where('e.room', '=', p.room)
      .where('e.pos', '>', p.pos)
      .where(sql<boolean>`e.pos is not null and (e.ord is null or e.ord <> e.pos * 1024)`)
      .where('e.ord', 'is not', null),
);
export const isRedactedById = defineRead<{ eventId: string }, { nid: number; redacted_by: number | null }>(
  'search.isRedactedById',
  (q, p) => q.selectFrom('event').select(['nid', 'redacted_by']).where('event_id', '=', p.eventId),
);
