/** What other servers are still to be sent: destination_lag, targeted_event, outgoing_edu, and events by room and position. */
import { type RawBuilder, sql } from 'kysely';
import { EventFlag } from '../event-flags.ts';
import type { QueryBuilder } from '../database.ts';
import { bigint, defineRead, defineWrite, jsonRows } from '../query.ts';

/** Of the servers with joined users. */
export const joinedServers = defineRead<{ room: number }, { server_nid: number; joined: number }>(
  'outgoing.joinedServers',
  (q, p) =>
    q.selectFrom('room_server').select(['server_nid', 'joined']).where('room', '=', p.room).where('joined', '>', 0),
);

/** Those of the servers that have joined users. */
export const joinedAmong = defineRead<{ room: number; servers: readonly number[] }, { server_nid: number }>(
  'outgoing.joinedAmong',
  (q, p) =>
    q
      .selectFrom('room_server')
      .select('server_nid')
      .where('room', '=', p.room)
      .where('server_nid', 'in', p.list('servers'))
      .where('joined', '>', 0),
);

/** Rooms in which the server has joined users. */
export const roomsOfServer = defineRead<{ server: number; above: number; limit: number }, { room: number }>(
  'outgoing.roomsOfServer',
  (q, p) =>
    q
      .selectFrom('room_server')
      .select('room')
      .where('server_nid', '=', p.server)
      .where('joined', '>', 0)
      .where('room', '>', p.above)
      .orderBy('room')
      .limit(bigint(p.limit)),
);

/** Of those, the ones in which something came after an order value. */
export const roomsOfServerWithNews = defineRead<
  { server: number; ord: number; above: number; limit: number },
  { room: number }
>('outgoing.roomsOfServerWithNews', (q, p) =>
  q
    .selectFrom('room_server as s')
    .select('s.room')
    .where('s.server_nid', '=', p.server)
    .where('s.joined', '>', 0)
    .where('s.room', '>', p.above)
    .where((e) =>
      e.exists(e.selectFrom('event as v').select('v.nid').whereRef('v.room', '=', 's.room').where('v.ord', '>', p.ord)),
    )
    .orderBy('s.room')
    .limit(bigint(p.limit)),
);

/** Servers other than ours that share a room with the user in which both are joined, or are said to, as long as its members are not known. */
export const serversSharingRooms = defineRead<{ user: number; locals: readonly number[] }, { server_nid: number }>(
  'outgoing.serversSharingRooms',
  (q, p) =>
    q
      .selectFrom('user_room as u')
      .innerJoin('room_server as s', 's.room', 'u.room')
      .select('s.server_nid')
      .where('u.user_nid', '=', p.user)
      .where('u.membership', '=', 'join')
      .where('s.joined', '>', 0)
      .where('s.server_nid', 'not in', p.list('locals'))
      .union(
        q
          .selectFrom('user_room as u')
          .innerJoin('partial_room_server as s', 's.room', 'u.room')
          .select('s.server_nid')
          .where('u.user_nid', '=', p.user)
          .where('u.membership', '=', 'join')
          .where('s.server_nid', 'not in', p.list('locals')),
      ),
);

/** Of an event `e`. */
const hasFlag = (flag: number): RawBuilder<boolean> => sql<boolean>`e.flags & ${sql.lit(flag)} <> 0`;

export interface OutgoingRow {
  readonly nid: number;
  readonly room: number;
  readonly pos: number;
  readonly sender: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** Visible events of this server's users, or passed on by it, with an order value in between: the newest first. */
export const ownEventsBetween = defineRead<
  { room: number; after: number; before: number; locals: readonly number[]; limit: number },
  OutgoingRow
>('outgoing.ownEventsBetween', (q, p) =>
  q
    .selectFrom('event as e')
    .innerJoin('user_name as u', 'u.user_nid', 'e.sender')
    .innerJoin('event_body as b', 'b.nid', 'e.nid')
    .select((x) => ['e.nid', 'e.room', x.ref('e.pos').$castTo<number>().as('pos'), 'e.sender', 'e.flags', 'b.body'])
    .where('e.room', '=', p.room)
    .where('e.ord', '>', p.after)
    .where('e.ord', '<', p.before)
    .where((x) =>
      x.or([
        x.and([x('u.server_nid', 'in', p.list('locals')), x.not(hasFlag(EventFlag.sentOnElsewhere))]),
        hasFlag(EventFlag.sentOn),
      ]),
    )
    .orderBy('e.ord', 'desc')
    .limit(bigint(p.limit)),
);

/** Of the room's forward extremities those that are of this server's users, or passed on by it. */
export const ownExtremities = defineRead<{ room: number; locals: readonly number[] }, OutgoingRow>(
  'outgoing.ownExtremities',
  (q, p) =>
    q
      .selectFrom('extremity as x')
      .innerJoin('event as e', 'e.nid', 'x.nid')
      .innerJoin('user_name as u', 'u.user_nid', 'e.sender')
      .innerJoin('event_body as b', 'b.nid', 'e.nid')
      .select((x) => ['e.nid', 'e.room', x.ref('e.pos').$castTo<number>().as('pos'), 'e.sender', 'e.flags', 'b.body'])
      .where('x.room', '=', p.room)
      .where('e.pos', 'is not', null)
      .where((x) =>
        x.or([
          x.and([x('u.server_nid', 'in', p.list('locals')), x.not(hasFlag(EventFlag.sentOnElsewhere))]),
          hasFlag(EventFlag.sentOn),
        ]),
      ),
);

/** Rooms in which something came after an order value. */
export const roomsWithNewsAfter = defineRead<
  { above: number; ord: number; limit: number },
  { room: number; has_news: number }
>(
  'outgoing.roomsWithNewsAfter',
  (_q, p) =>
    sql<{ room: number; has_news: number }>`select r.room, case when
        exists (select 1 from event as e where e.room = r.room and e.ord > ${p.ord}) then 1 else 0 end as has_news
      from (select room from room where room > ${p.above} order by room limit ${bigint(p.limit)}) as r order by r.room`,
);

export const insertTargetedEvent = defineWrite<{ server: number; pos: number; nid: number }>(
  'outgoing.insertTargetedEvent',
  (q, p) => q.insertInto('targeted_event').values({ server_nid: p.server, pos: p.pos, nid: p.nid }),
);
export const targetedEvents = defineRead<{ server: number; upTo: number; limit: number }, OutgoingRow>(
  'outgoing.targetedEvents',
  (q, p) =>
    q
      .selectFrom('targeted_event as t')
      .innerJoin('event as e', 'e.nid', 't.nid')
      .innerJoin('event_body as b', 'b.nid', 't.nid')
      .select(['t.nid', 'e.room', 't.pos', 'e.sender', 'e.flags', 'b.body'])
      .where('t.server_nid', '=', p.server)
      .where('t.pos', '<=', p.upTo)
      .orderBy('t.pos')
      .limit(bigint(p.limit)),
);
export const targetedServers = defineRead<Record<never, never>, { server_nid: number }>(
  'outgoing.targetedServers',
  (q) => q.selectFrom('targeted_event').select('server_nid').distinct(),
);
export const deleteTargetedEvents = defineWrite<{ server: number; positions: readonly number[] }>(
  'outgoing.deleteTargetedEvents',
  (q, p) => q.deleteFrom('targeted_event').where('server_nid', '=', p.server).where('pos', 'in', p.list('positions')),
);

export const laggingDestinations = defineRead<Record<never, never>, { server_nid: number; sent_pos: number }>(
  'outgoing.laggingDestinations',
  (q) => q.selectFrom('destination_lag').select(['server_nid', 'sent_pos']),
);
/** `rows`: JSON text of a list of `[server, sentPos]`. */
export const setDestinationsLag = defineWrite<{ rows: string }>(
  'outgoing.setDestinationsLag',
  (q, p) =>
    sql`insert into destination_lag (server_nid, sent_pos)
    select cast(e.value ->> 0 as bigint), cast(e.value ->> 1 as bigint) from ${jsonRows(q, p.rows)} where true
    on conflict (server_nid) do update set sent_pos = excluded.sent_pos`,
);
export const deleteDestinationsLag = defineWrite<{ servers: readonly number[] }>(
  'outgoing.deleteDestinationsLag',
  (q, p) => q.deleteFrom('destination_lag').where('server_nid', 'in', p.list('servers')),
);

export const insertEdu = defineWrite<{ pos: number; replaces: string | null; json: string }>(
  'outgoing.insertEdu',
  (q, p) => q.insertInto('outgoing_edu').values({ pos: p.pos, replaces: p.replaces, json: p.json }),
);
export const insertEduServers = defineWrite<{ pos: number; servers: readonly number[] }>(
  'outgoing.insertEduServers',
  (q, p) =>
    q
      .insertInto('outgoing_edu_server')
      .columns(['server_nid', 'pos'])
      .expression(
        q
          .selectFrom('server_name')
          .select(['server_nid', bigint(p.pos).as('pos')])
          .where('server_nid', 'in', p.list('servers')),
      ),
);
/** Of those servers: what waits for them and has the same value of `replaces`. */
export const dropReplacedEdus = defineWrite<{ servers: readonly number[]; replaces: string }>(
  'outgoing.dropReplacedEdus',
  (q, p) =>
    q
      .deleteFrom('outgoing_edu_server')
      .where('server_nid', 'in', p.list('servers'))
      .where('pos', 'in', (e) => e.selectFrom('outgoing_edu').select('pos').where('replaces', '=', p.replaces)),
);
export const dropUnwantedReplacedEdus = defineWrite<{ replaces: string }>('outgoing.dropUnwantedReplacedEdus', (q, p) =>
  q
    .deleteFrom('outgoing_edu')
    .where('replaces', '=', p.replaces)
    .where((e) =>
      e.not(
        e.exists(e.selectFrom('outgoing_edu_server as s').select('s.pos').whereRef('s.pos', '=', 'outgoing_edu.pos')),
      ),
    ),
);

/** `user_nid` null: `json` is what is sent. Otherwise it is put together of the keys that the user has then. */
export interface EduRow {
  readonly pos: number;
  readonly json: string;
  readonly user_nid: number | null;
  /** null: the user's cross-signing keys. */
  readonly device_id: string | null;
  readonly stream_id: number | null;
  readonly prev_id: number | null;
}
export const edusFor = defineRead<{ server: number; limit: number }, EduRow>('outgoing.edusFor', (q, p) =>
  q
    .selectFrom('outgoing_edu_server as s')
    .innerJoin('outgoing_edu as e', 'e.pos', 's.pos')
    .select(['e.pos', 'e.json', 'e.user_nid', 'e.device_id', 'e.stream_id', 'e.prev_id'])
    .where('s.server_nid', '=', p.server)
    .orderBy('s.pos')
    .limit(bigint(p.limit)),
);
export const edusWaiting = defineRead<Record<never, never>, { server_nid: number; edus: number; newest: number }>(
  'outgoing.edusWaiting',
  (q) =>
    q
      .selectFrom('outgoing_edu_server')
      .select((e) => ['server_nid', e.fn.countAll<number>().as('edus'), e.fn.max('pos').as('newest')])
      .groupBy('server_nid'),
);
export const deleteEdusFor = defineWrite<{ server: number; positions: readonly number[] }>(
  'outgoing.deleteEdusFor',
  (q, p) =>
    q.deleteFrom('outgoing_edu_server').where('server_nid', '=', p.server).where('pos', 'in', p.list('positions')),
);
/** Of these, what no server waits for any more. */
export const deleteSentEdus = defineWrite<{ positions: readonly number[] }>('outgoing.deleteSentEdus', (q, p) =>
  q
    .deleteFrom('outgoing_edu')
    .where('pos', 'in', p.list('positions'))
    .where((e) =>
      e.not(
        e.exists(e.selectFrom('outgoing_edu_server as s').select('s.pos').whereRef('s.pos', '=', 'outgoing_edu.pos')),
      ),
    ),
);
/** All but the newest `kept` of a server. */
export const trimEdusFor = defineWrite<{ server: number; kept: number }>('outgoing.trimEdusFor', (q, p) =>
  q
    .deleteFrom('outgoing_edu_server')
    .where('server_nid', '=', p.server)
    .where('pos', '<=', (e) =>
      e
        .selectFrom('outgoing_edu_server as t')
        .select('t.pos')
        .where('t.server_nid', '=', p.server)
        .orderBy('t.pos', 'desc')
        .limit(1)
        .offset(bigint(p.kept)),
    ),
);

export interface DestinationListRow {
  /** null: nothing here has to do with it but that it was asked. */
  readonly server_nid: number | null;
  readonly name: string;
  readonly failing_since_ts: number | null;
  readonly retry_ts: number | null;
  readonly failures: number | null;
  readonly sent_pos: number | null;
}
export type DestinationOrder = 'destination' | 'retry_last_ts' | 'retry_interval' | 'failure_ts' | 'sent_pos';

/** Servers that share a room with us, or that were ever asked anything; for administrators. */
export function destinationsPage(
  q: QueryBuilder,
  page: {
    readonly order: DestinationOrder;
    readonly direction: 'asc' | 'desc';
    readonly from: number;
    readonly limit: number;
  },
  locals: readonly number[],
) {
  const column = {
    destination: 'k.name',
    retry_last_ts: 'd.retry_ts',
    retry_interval: 'd.failures',
    failure_ts: 'd.failing_since_ts',
    sent_pos: 'l.sent_pos',
  } as const;
  return knownDestinations(q, locals)
    .select(['n.server_nid', 'k.name', 'd.failing_since_ts', 'd.retry_ts', 'd.failures', 'l.sent_pos'])
    .orderBy(column[page.order], page.direction)
    .orderBy('k.name', page.direction)
    .limit(page.limit)
    .offset(page.from);
}
export function destinationsCount(q: QueryBuilder, locals: readonly number[]) {
  return knownDestinations(q, locals).select((e) => e.fn.countAll<number>().as('total'));
}
export function destinationNamed(q: QueryBuilder, name: string, locals: readonly number[]) {
  return knownDestinations(q, locals)
    .select(['n.server_nid', 'k.name', 'd.failing_since_ts', 'd.retry_ts', 'd.failures', 'l.sent_pos'])
    .where('k.name', '=', name);
}
function knownDestinations(q: QueryBuilder, locals: readonly number[]) {
  const sharing = q
    .selectFrom('room_server as s')
    .innerJoin('server_name as m', 'm.server_nid', 's.server_nid')
    .select('m.name')
    .where('s.joined', '>', 0)
    .where('s.server_nid', 'not in', [...locals]);
  return q
    .selectFrom(sharing.union(q.selectFrom('destination').select('server as name')).as('k'))
    .leftJoin('server_name as n', 'n.name', 'k.name')
    .leftJoin('destination as d', 'd.server', 'k.name')
    .leftJoin('destination_lag as l', 'l.server_nid', 'n.server_nid');
}

/** Rooms that are shared with a server, by room id. */
export function sharedRoomsPage(
  q: QueryBuilder,
  server: number,
  page: { readonly direction: 'asc' | 'desc'; readonly from: number; readonly limit: number },
) {
  return q
    .selectFrom('room_server as s')
    .innerJoin('room as r', 'r.room', 's.room')
    .select(['r.room', 'r.room_id'])
    .where('s.server_nid', '=', server)
    .where('s.joined', '>', 0)
    .orderBy('r.room_id', page.direction)
    .limit(page.limit)
    .offset(page.from);
}
export const sharedRoomsCount = defineRead<{ server: number }, { total: number }>('outgoing.sharedRoomsCount', (q, p) =>
  q
    .selectFrom('room_server')
    .select((e) => e.fn.countAll<number>().as('total'))
    .where('server_nid', '=', p.server)
    .where('joined', '>', 0),
);

/** What a server has not been sent in the rooms that are shared with it, and since when; at most `limit` are counted. */
export const unsentEvents = defineRead<
  { server: number; ord: number; locals: readonly number[]; limit: number },
  { events: number; oldest_ts: number | null }
>('outgoing.unsentEvents', (q, p) =>
  q
    .selectFrom((from) =>
      from
        .selectFrom('room_server as s')
        .innerJoin('event as e', 'e.room', 's.room')
        .innerJoin('user_name as u', 'u.user_nid', 'e.sender')
        .select('e.ts')
        .where('s.server_nid', '=', p.server)
        .where('s.joined', '>', 0)
        .where('e.ord', '>', p.ord)
        .where((x) =>
          x.or([
            x.and([x('u.server_nid', 'in', p.list('locals')), x.not(hasFlag(EventFlag.sentOnElsewhere))]),
            hasFlag(EventFlag.sentOn),
          ]),
        )
        .limit(bigint(p.limit))
        .as('unsent'),
    )
    .select((e) => [e.fn.countAll<number>().as('events'), e.fn.min('unsent.ts').as('oldest_ts')]),
);
export const edusWaitingFor = defineRead<{ server: number }, { edus: number }>('outgoing.edusWaitingFor', (q, p) =>
  q
    .selectFrom('outgoing_edu_server')
    .select((e) => e.fn.countAll<number>().as('edus'))
    .where('server_nid', '=', p.server),
);
