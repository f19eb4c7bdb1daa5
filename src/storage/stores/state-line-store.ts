/**
 * The state of rooms as a versioned log: `state_line`, `state_change`, `room_main`, `given_state`.
 * What the rows mean stands in docs/decisions/0003-state-line.md.
 */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite, isForPostgres, jsonInteger, jsonRows } from '../query.ts';

/** Bits of state_line.flags. */
export const LineFlag = {
  /** It is or was the main line of its room: only the current state is appended to it (R8). */
  main: 1,
} as const;

export interface LineRow {
  line: number;
  parent: number | null;
  parent_pos: number | null;
  depth: number;
  flags: number;
}
export interface ChangeRow {
  skey: number;
  pos: number;
  event: number | null;
  prev: number | null;
}

export const lineById = defineRead<{ line: number }, LineRow>('stateLine.byId', (q, p) =>
  q.selectFrom('state_line').select(['line', 'parent', 'parent_pos', 'depth', 'flags']).where('line', '=', p.line),
);

/** The newest row of one key at or below a position. */
export const changeAt = defineRead<{ line: number; skey: number; pos: number }, ChangeRow>('stateChange.at', (q, p) =>
  q
    .selectFrom('state_change')
    .select(['skey', 'pos', 'event', 'prev'])
    .where('line', '=', p.line)
    .where('skey', '=', p.skey)
    .where('pos', '<=', p.pos)
    .orderBy('pos', 'desc')
    .limit(1),
);

/**
 * The same for many keys: two seeks for each, whatever the number of its versions. CROSS JOIN because SQLite keeps its
 * order; the other way round every version of a key would be visited.
 */
export const changesAt = defineRead<{ line: number; pos: number; skeys: number[] }, ChangeRow>(
  'stateChange.manyAt',
  (q, p) =>
    q
      .selectFrom('state_key as k')
      .crossJoin('state_change as c')
      .select(['c.skey', 'c.pos', 'c.event', 'c.prev'])
      .where('k.skey', 'in', p.list('skeys'))
      .where('c.line', '=', p.line)
      .whereRef('c.skey', '=', 'k.skey')
      .where('c.pos', '=', (eb) =>
        eb
          .selectFrom('state_change as d')
          .select((eb) => eb.fn.max('d.pos').as('pos'))
          .where('d.line', '=', p.line)
          .whereRef('d.skey', '=', 'k.skey')
          .where('d.pos', '<=', p.pos),
      ),
);

/**
 * The same on many lines; null also for keys without a row. `lines`: JSON text of a list of pairs of a line and the list of its keys,
 * because to take a pair of numbers out of JSON costs as much as to look for the row.
 */
export const changesAtOfLines = defineRead<
  { lines: string; pos: number },
  { line: number; skey: number; event: number | null }
>('stateChange.manyAtOfLines', (q, p) => {
  const [keys, each, skey] = isForPostgres(q)
    ? [sql`e.value -> 1`, sql`lateral jsonb_array_elements(l.keys) as k(value)`, sql`cast(k.value as bigint)`]
    : [sql`e.value ->> 1`, sql`json_each(l.keys) as k`, sql`k.value`];
  return sql<{ line: number; skey: number; event: number | null }>`
    with l(line, keys) as materialized (select ${jsonInteger(0)}, ${keys} from ${jsonRows(q, p.lines)})
    select l.line, ${skey} as skey, (
      select c.event from state_change as c where c.line = l.line and c.skey = ${skey} and c.pos <= ${p.pos}
      order by c.pos desc limit 1) as event
    from l cross join ${each}`;
});

/** Position of the newest row at or below a position; null: the line has none. */
export const lastChangePos = defineRead<{ line: number; pos: number }, { pos: number | null }>(
  'stateChange.lastPos',
  (q, p) =>
    q
      .selectFrom('state_change')
      .select((eb) => eb.fn.max('pos').as('pos'))
      .where('line', '=', p.line)
      .where('pos', '<=', p.pos),
);

/** Keys with a row in (above, upTo], with repetitions, at most `limit` rows. */
export const changedKeys = defineRead<{ line: number; above: number; upTo: number; limit: number }, { skey: number }>(
  'stateChange.changedKeys',
  (q, p) =>
    q
      .selectFrom('state_change')
      .select('skey')
      .where('line', '=', p.line)
      .where('pos', '>', p.above)
      .where('pos', '<=', p.upTo)
      .orderBy('pos')
      .limit(bigint(p.limit)),
);

/** The newest row of every key at or below a position: O(keys). */
export const completeAt = defineRead<{ line: number; pos: number }, { skey: number; event: number | null }>(
  'stateChange.completeAt',
  (q, p) =>
    q
      .selectFrom('state_change as c')
      .select(['c.skey', 'c.event'])
      .where('c.line', '=', p.line)
      .where('c.pos', '<=', p.pos)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('state_change as d')
              .select('d.pos')
              .where('d.line', '=', p.line)
              .whereRef('d.skey', '=', 'c.skey')
              .whereRef('d.pos', '>', 'c.pos')
              .where('d.pos', '<=', p.pos),
          ),
        ),
      ),
);

/** The same of many lines. */
export const completeAtOfLines = defineRead<
  { lines: readonly number[]; pos: number },
  { line: number; skey: number; event: number | null }
>('stateChange.completeAtOfLines', (q, p) =>
  q
    .selectFrom('state_change as c')
    .select(['c.line', 'c.skey', 'c.event'])
    .where('c.line', 'in', p.list('lines'))
    .where('c.pos', '<=', p.pos)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('state_change as d')
            .select('d.pos')
            .whereRef('d.line', '=', 'c.line')
            .whereRef('d.skey', '=', 'c.skey')
            .whereRef('d.pos', '>', 'c.pos')
            .where('d.pos', '<=', p.pos),
        ),
      ),
    ),
);

export const mainsOfRoom = defineRead<{ room: number }, { from_pos: number; line: number }>('roomMain.byRoom', (q, p) =>
  q.selectFrom('room_main').select(['from_pos', 'line']).where('room', '=', p.room).orderBy('from_pos'),
);

export const mainsOfRooms = defineRead<{ rooms: readonly number[] }, { room: number; from_pos: number; line: number }>(
  'roomMain.byRooms',
  (q, p) =>
    q
      .selectFrom('room_main')
      .select(['room', 'from_pos', 'line'])
      .where('room', 'in', p.list('rooms'))
      .orderBy('room')
      .orderBy('from_pos'),
);

/** Keys that the room's current state ever had, memberships left out: O(keys). */
export const otherKeysOfRoom = defineRead<{ room: number }, { skey: number }>('stateChange.otherKeysOfRoom', (q, p) =>
  q
    .selectFrom('room_main as m')
    .innerJoin('state_change as c', 'c.line', 'm.line')
    .innerJoin('state_key as k', 'k.skey', 'c.skey')
    .select('c.skey')
    .distinct()
    .where('m.room', '=', p.room)
    .where('k.type', '<>', 'm.room.member'),
);

/** The same of many rooms. */
export const otherKeysOfRooms = defineRead<{ rooms: readonly number[] }, { room: number; skey: number }>(
  'stateChange.otherKeysOfRooms',
  (q, p) =>
    q
      .selectFrom('room_main as m')
      .innerJoin('state_change as c', 'c.line', 'm.line')
      .innerJoin('state_key as k', 'k.skey', 'c.skey')
      .select(['m.room', 'c.skey'])
      .distinct()
      .where('m.room', 'in', p.list('rooms'))
      .where('k.type', '<>', 'm.room.member'),
);

export const givenStatesOf = defineRead<
  { nids: number[] },
  { nid: number; parent_id: string; line: number; pos: number }
>('givenState.byEvents', (q, p) =>
  q.selectFrom('given_state').select(['nid', 'parent_id', 'line', 'pos']).where('nid', 'in', p.list('nids')),
);

export const insertLine = defineWrite<{
  line: number;
  room: number;
  parent: number | null;
  parentPos: number | null;
  depth: number;
  flags: number;
}>('stateLine.insert', (q, p) =>
  q.insertInto('state_line').values({
    line: p.line,
    room: p.room,
    parent: p.parent,
    parent_pos: p.parentPos,
    depth: p.depth,
    flags: p.flags,
  }),
);

export const insertChange = defineWrite<{
  line: number;
  skey: number;
  pos: number;
  event: number | null;
  prev: number | null;
}>('stateChange.insert', (q, p) =>
  q.insertInto('state_change').values({ line: p.line, skey: p.skey, pos: p.pos, event: p.event, prev: p.prev }),
);

export const insertMain = defineWrite<{ room: number; fromPos: number; line: number }>('roomMain.insert', (q, p) =>
  q.insertInto('room_main').values({ room: p.room, from_pos: p.fromPos, line: p.line }),
);

export const markLineMain = defineWrite<{ line: number }>('stateLine.markMain', (q, p) =>
  q.updateTable('state_line').set({ flags: LineFlag.main }).where('line', '=', p.line),
);

export const insertGivenState = defineWrite<{ nid: number; parentId: string; line: number; pos: number }>(
  'givenState.insert',
  (q, p) => q.insertInto('given_state').values({ nid: p.nid, parent_id: p.parentId, line: p.line, pos: p.pos }),
);

export const deleteGivenStatesOf = defineWrite<{ nid: number }>('givenState.deleteOf', (q, p) =>
  q.deleteFrom('given_state').where('nid', '=', p.nid),
);

/** How two keys of a room's current state changed over time, oldest first, with the events' bodies. */
export const historyOfKeys = defineRead<
  { room: number; first: number; second: number },
  { skey: number; pos: number; body: Buffer | null }
>('stateChange.historyOfKeys', (q, p) =>
  q
    .selectFrom('room_main as m')
    .innerJoin('state_change as c', 'c.line', 'm.line')
    .leftJoin('event_body as b', 'b.nid', 'c.event')
    .select(['c.skey', 'c.pos', 'b.body'])
    .where('m.room', '=', p.room)
    .where('c.skey', 'in', [p.first, p.second])
    .orderBy('c.pos'),
);

/** The same of any number of keys. */
export const historyOfManyKeys = defineRead<
  { room: number; skeys: readonly number[] },
  { skey: number; pos: number; body: Buffer | null }
>('stateChange.historyOfManyKeys', (q, p) =>
  q
    .selectFrom('room_main as m')
    .innerJoin('state_change as c', 'c.line', 'm.line')
    .leftJoin('event_body as b', 'b.nid', 'c.event')
    .select(['c.skey', 'c.pos', 'b.body'])
    .where('m.room', '=', p.room)
    .where('c.skey', 'in', p.list('skeys'))
    .orderBy('c.pos'),
);

/** The same in many rooms, with the events' numbers. */
export const historyOfKeysInRooms = defineRead<
  { rooms: readonly number[]; first: number; second: number },
  { room: number; skey: number; pos: number; event: number | null }
>('stateChange.historyOfKeysInRooms', (q, p) =>
  q
    .selectFrom('room_main as m')
    .innerJoin('state_change as c', 'c.line', 'm.line')
    .select(['m.room', 'c.skey', 'c.pos', 'c.event'])
    .where('m.room', 'in', p.list('rooms'))
    .where('c.skey', 'in', [p.first, p.second])
    .orderBy('c.pos'),
);

/** For state events: the event that their key had before them (R3). */
export const replacedBy = defineRead<{ nids: readonly number[] }, { nid: number; prev: number }>(
  'stateChange.replacedBy',
  (q, p) =>
    q
      .selectFrom('event as e')
      .innerJoin('state_change as c', (join) =>
        join
          .on('c.line', '=', (b) =>
            b.fn.coalesce(
              'e.sline',
              b
                .selectFrom('room_main as m')
                .select('m.line')
                .whereRef('m.room', '=', 'e.room')
                .whereRef('m.from_pos', '<=', 'e.pos')
                .orderBy('m.from_pos', 'desc')
                .limit(1),
            ),
          )
          .onRef('c.skey', '=', 'e.skey')
          .onRef('c.pos', '=', 'e.pos'),
      )
      .select((b) => ['e.nid', b.ref('c.prev').$notNull().as('prev')])
      .where('e.nid', 'in', p.list('nids'))
      .where('c.prev', 'is not', null),
);

/** Events that were judged by a state which was handed in for one of these events, as they were not known then. */
export const childrenWithGivenStates = defineRead<{ eventIds: string[] }, { event_id: string }>(
  'givenState.children',
  (q, p) =>
    q
      .selectFrom('missing_ref as m')
      .innerJoin('given_state as g', (join) =>
        join.onRef('g.nid', '=', 'm.by_nid').onRef('g.parent_id', '=', 'm.event_id'),
      )
      .innerJoin('event as e', 'e.nid', 'm.by_nid')
      .select('e.event_id')
      .where('m.event_id', 'in', p.list('eventIds')),
);
