/** What administrators ask about files, and do with them: table media. Only what has content is looked at. */
import { type RawBuilder, sql } from 'kysely';
import type { QueryBuilder, ReadQuery } from '../database.ts';
import { bigint, defineRead, defineWrite, isForPostgres } from '../query.ts';

export type Direction = 'f' | 'b';

export interface MediaOfUserRow {
  readonly origin: string;
  readonly media_id: string;
  readonly sha256: Buffer;
  readonly bytes: number;
  readonly content_type: string | null;
  readonly file_name: string | null;
  readonly created_ts: number;
  readonly last_access_ts: number | null;
  readonly quarantined_by: string | null;
  readonly protected: number;
}
const listed = [
  'origin',
  'media_id',
  'content_type',
  'file_name',
  'created_ts',
  'last_access_ts',
  'quarantined_by',
  'protected',
] as const;

/** What a user's files can be ordered by. What is absent stands first on both engines. */
export const mediaOrders = {
  media_id: sql`media_id`,
  upload_name: sql`coalesce(file_name, '')`,
  created_ts: sql`created_ts`,
  last_access_ts: sql`coalesce(last_access_ts, 0)`,
  media_length: sql`bytes`,
  media_type: sql`coalesce(content_type, '')`,
  quarantined_by: sql`coalesce(quarantined_by, '')`,
  safe_from_quarantine: sql`protected`,
} as const;
export type MediaOrder = keyof typeof mediaOrders;

type MediaOfUserQuery = ReadQuery<{ user: number; from: number; limit: number }, MediaOfUserRow>;

const mediaOfUserIn = (order: MediaOrder, direction: Direction): MediaOfUserQuery =>
  defineRead(`media.ofUser.${order}.${direction}`, (q, p) =>
    q
      .selectFrom('media')
      .select(listed)
      .select((e) => [e.ref('sha256').$notNull().as('sha256'), e.ref('bytes').$notNull().as('bytes')])
      .where('user_nid', '=', p.user)
      .where('sha256', 'is not', null)
      .orderBy(mediaOrders[order], direction === 'f' ? 'asc' : 'desc')
      .orderBy('media_id')
      .limit(bigint(p.limit))
      .offset(bigint(p.from)),
  );
const mediaOfUserQueries = new Map<string, MediaOfUserQuery>();

/** A user's files in an order; files that are equal in it stand by their ids. */
export function mediaOfUser(order: MediaOrder, direction: Direction): MediaOfUserQuery {
  return remembered(mediaOfUserQueries, `${order} ${direction}`, () => mediaOfUserIn(order, direction));
}

/** What a user has: files and their bytes, read from one index alone. */
export const mediaUsage = defineRead<{ user: number }, { files: number; bytes: number }>('media.usage', (q, p) =>
  q
    .selectFrom('media')
    .select((e) => [
      e.fn.countAll<number>().as('files'),
      e.cast<number>(e.fn.coalesce(e.fn.sum('bytes'), sql`0`), 'bigint').as('bytes'),
    ])
    .where('user_nid', '=', p.user)
    .where('bytes', 'is not', null),
);

/**
 * A page of users' files on one server, by their ids, that nobody has used since `before` and that are larger than `bytes`. The day of the last
 * access is known, and not the time: `beforeDay` is `before` less a day.
 */
export const unusedMedia = defineRead<
  { origin: string; after: string; before: number; beforeDay: number; bytes: number; limit: number },
  { media_id: string; sha256: Buffer }
>('media.unused', (q, p) =>
  q
    .selectFrom('media')
    .select((e) => ['media_id', e.ref('sha256').$notNull().as('sha256')])
    .where('origin', '=', p.origin)
    .where('media_id', '>', p.after)
    .where('sha256', 'is not', null)
    .where('user_nid', 'is not', null)
    .where('created_ts', '<', p.before)
    .where((e) => e.or([e('last_access_ts', 'is', null), e('last_access_ts', '<=', p.beforeDay)]))
    .where('bytes', '>', p.bytes)
    .orderBy('media_id')
    .limit(bigint(p.limit)),
);

export const protectMedia = defineWrite<{ origin: string; mediaId: string; protected: number }>(
  'media.protect',
  (q, p) =>
    q
      .updateTable('media')
      .set({ protected: p.protected })
      .where('origin', '=', p.origin)
      .where('media_id', '=', p.mediaId),
);

export interface MediaStatisticsFilter {
  readonly fromTs: number;
  readonly untilTs: number;
  /** Part of the localpart or of the display name; empty: everybody. */
  readonly term: string;
  /** The same as it stands inside of a JSON text. */
  readonly jsonTerm: string;
}
export interface UserMediaRow {
  readonly user_id: string;
  /** JSON text. */
  readonly display_name: string | null;
  readonly files: number;
  readonly bytes: number;
}

/** What users with files can be ordered by. */
export const statisticsOrders = {
  user_id: sql`u.user_id`,
  displayname: sql`coalesce(f.value, '')`,
  media_length: sql`sum(m.bytes)`,
  media_count: sql`count(*)`,
} as const;
export type StatisticsOrder = keyof typeof statisticsOrders;

type StatisticsQuery = ReadQuery<MediaStatisticsFilter & { from: number; limit: number }, UserMediaRow>;

const statisticsIn = (order: StatisticsOrder, direction: Direction): StatisticsQuery =>
  defineRead(`media.statistics.${order}.${direction}`, (q, p) =>
    usersWithMedia(q, p)
      .select((e) => [
        'u.user_id',
        'f.value as display_name',
        e.fn.countAll<number>().as('files'),
        e.cast<number>(e.fn.sum('m.bytes'), 'bigint').as('bytes'),
      ])
      .groupBy(['u.user_id', 'f.value'])
      .orderBy(statisticsOrders[order], direction === 'f' ? 'asc' : 'desc')
      .orderBy('u.user_id')
      .limit(bigint(p.limit))
      .offset(bigint(p.from)),
  );
const statisticsQueries = new Map<string, StatisticsQuery>();

/** How much each user has, for a page of those that the filter lets through. */
export function mediaStatistics(order: StatisticsOrder, direction: Direction): StatisticsQuery {
  return remembered(statisticsQueries, `${order} ${direction}`, () => statisticsIn(order, direction));
}

export const usersWithMediaCount = defineRead<MediaStatisticsFilter, { count: number }>(
  'media.statisticsCount',
  (q, p) => usersWithMedia(q, p).select((e) => e.fn.count<number>('m.user_nid').distinct().as('count')),
);

/** Which of these texts, JSON, are a local user's avatar. */
export const avatarsOfUsers = defineRead<{ urls: readonly string[] }, { value: string }>(
  'media.avatarsOfUsers',
  (q, p) =>
    q.selectFrom('profile_field').select('value').where('name', '=', 'avatar_url').where('value', 'in', p.list('urls')),
);

/** The events that are the present state of one key, a page of rooms at a time. */
export const presentStateOfRooms = defineRead<
  { skey: number; after: number; limit: number },
  { room: number; body: Buffer }
>('media.presentStateOfRooms', (q, p) =>
  q
    .selectFrom('room as r')
    .innerJoin('state_change as c', (join) => join.onRef('c.line', '=', 'r.main_line').on('c.skey', '=', p.skey))
    .innerJoin('event_body as b', 'b.nid', 'c.event')
    .select(['r.room', 'b.body'])
    .where('r.room', '>', p.after)
    .where('c.pos', '=', (eb) =>
      eb
        .selectFrom('state_change as d')
        .select((e) => e.fn.max('d.pos').as('pos'))
        .whereRef('d.line', '=', 'r.main_line')
        .where('d.skey', '=', p.skey),
    )
    .orderBy('r.room')
    .limit(bigint(p.limit)),
);

type FilterPlaceholders = { readonly [K in keyof MediaStatisticsFilter]: RawBuilder<MediaStatisticsFilter[K]> };

const usersWithMedia = (q: QueryBuilder, p: FilterPlaceholders) =>
  q
    .selectFrom('media as m')
    .innerJoin('account as a', 'a.user_nid', 'm.user_nid')
    .innerJoin('user_name as u', 'u.user_nid', 'm.user_nid')
    .leftJoin('profile_field as f', (join) =>
      join.onRef('f.user_nid', '=', 'm.user_nid').on('f.name', '=', 'displayname'),
    )
    .where('m.sha256', 'is not', null)
    .where('m.created_ts', '>=', p.fromTs)
    .where('m.created_ts', '<=', p.untilTs)
    .where((e) => e.or([holds(q, sql.ref('a.localpart'), p.term), holds(q, sql.ref('f.value'), p.jsonTerm)]));

/** Without regard to case. */
const holds = (q: QueryBuilder, text: RawBuilder<unknown>, part: RawBuilder<string>): RawBuilder<boolean> =>
  isForPostgres(q)
    ? sql<boolean>`strpos(lower(${text}), lower(cast(${part} as text))) > 0`
    : sql<boolean>`instr(lower(${text}), lower(${part})) > 0`;

function remembered<T>(made: Map<string, T>, key: string, make: () => T): T {
  const found = made.get(key) ?? make();
  made.set(key, found);
  return found;
}
