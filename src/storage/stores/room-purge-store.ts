/** What forgetting history needs (R13). */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';
import type { LineRow } from './state-line-store.ts';

export const linesOfRoom = defineRead<{ room: number }, LineRow>('purge.linesOfRoom', (q, p) =>
  q.selectFrom('state_line').select(['line', 'parent', 'parent_pos', 'depth', 'flags']).where('room', '=', p.room),
);

/** Events whose state is at an explicit point of a line. */
export const pointsOfEvents = defineRead<{ line: number }, { nid: number; spos: number }>(
  'purge.pointsOfEvents',
  (q, p) =>
    q
      .selectFrom('event')
      .select((eb) => ['nid', eb.ref('spos').$notNull().as('spos')])
      .where('sline', '=', p.line),
);

export const pointsOfGivenStates = defineRead<{ line: number }, { nid: number; pos: number }>(
  'purge.pointsOfGivenStates',
  (q, p) => q.selectFrom('given_state').select(['nid', 'pos']).where('line', '=', p.line),
);

/** Rows of a line by key and position, after a given one. */
export const rowsOfLine = defineRead<
  { line: number; skey: number; pos: number; limit: number },
  { skey: number; pos: number; event: number | null; prev: number | null }
>('purge.rowsOfLine', (q, p) =>
  q
    .selectFrom('state_change')
    .select(['skey', 'pos', 'event', 'prev'])
    .where('line', '=', p.line)
    .where((eb) => eb.or([eb('skey', '>', p.skey), eb.and([eb('skey', '=', p.skey), eb('pos', '>', p.pos)])]))
    .orderBy('skey')
    .orderBy('pos')
    .limit(bigint(p.limit)),
);

export const outliersOf = defineRead<{ room: number; above: number; limit: number }, { nid: number }>(
  'purge.outliersOf',
  (q, p) =>
    q
      .selectFrom('event')
      .select('nid')
      .where('room', '=', p.room)
      .where('pos', 'is', null)
      .where('nid', '>', p.above)
      .orderBy('nid')
      .limit(bigint(p.limit)),
);

export const setPurgePos = defineWrite<{ room: number; pos: number }>('purge.setPos', (q, p) =>
  q.updateTable('room').set({ purge_pos: p.pos }).where('room', '=', p.room),
);
export const deleteMainsBefore = defineWrite<{ room: number; fromPos: number }>('purge.deleteMainsBefore', (q, p) =>
  q.deleteFrom('room_main').where('room', '=', p.room).where('from_pos', '<', p.fromPos),
);
export const deleteChange = defineWrite<{ line: number; skey: number; pos: number }>('purge.deleteChange', (q, p) =>
  q.deleteFrom('state_change').where('line', '=', p.line).where('skey', '=', p.skey).where('pos', '=', p.pos),
);
/** The event of the row is forgotten, so nobody asks for the state before it. */
export const clearPrev = defineWrite<{ line: number; skey: number; pos: number }>('purge.clearPrev', (q, p) =>
  q
    .updateTable('state_change')
    .set({ prev: null })
    .where('line', '=', p.line)
    .where('skey', '=', p.skey)
    .where('pos', '=', p.pos),
);
export const deleteLineChanges = defineWrite<{ lines: number[] }>('purge.deleteLineChanges', (q, p) =>
  q.deleteFrom('state_change').where('line', 'in', p.list('lines')),
);
export const deleteLines = defineWrite<{ lines: number[] }>('purge.deleteLines', (q, p) =>
  q.deleteFrom('state_line').where('line', 'in', p.list('lines')),
);

/** They stay known, but have no place any more. `flags` is set. */
export const makeOutliers = defineWrite<{ nids: number[]; flag: number }>('purge.makeOutliers', (q, p) =>
  q
    .updateTable('event')
    .set({
      ord: null,
      pos: null,
      sline: null,
      spos: null,
      notify_seq: 0,
      flags: sql<number>`flags | ${bigint(p.flag)}`,
    })
    .where('nid', 'in', p.list('nids')),
);
export const deleteEvents = defineWrite<{ nids: number[] }>('purge.deleteEvents', (q, p) =>
  q.deleteFrom('event').where('nid', 'in', p.list('nids')),
);
export const deleteBodies = defineWrite<{ nids: number[] }>('purge.deleteBodies', (q, p) =>
  q.deleteFrom('event_body').where('nid', 'in', p.list('nids')),
);
export const deleteAuthNodes = defineWrite<{ nids: number[] }>('purge.deleteAuthNodes', (q, p) =>
  q.deleteFrom('auth_node').where('nid', 'in', p.list('nids')),
);
export const deleteAuthEdge = defineWrite<{ authNid: number; nid: number }>('purge.deleteAuthEdge', (q, p) =>
  q.deleteFrom('auth_edge').where('auth_nid', '=', p.authNid).where('nid', '=', p.nid),
);
export const deleteTransactionsOf = defineWrite<{ nids: number[] }>('purge.deleteTransactionsOf', (q, p) =>
  q.deleteFrom('txn_id').where('nid', 'in', p.list('nids')),
);
export const deleteGivenStatesOfAll = defineWrite<{ nids: number[] }>('purge.deleteGivenStatesOf', (q, p) =>
  q.deleteFrom('given_state').where('nid', 'in', p.list('nids')),
);
/** Of events that are gone, to events that stay. */
export const deleteStaleRelationsTo = defineWrite<{ room: number; eventIds: string[] }>(
  'purge.deleteStaleRelationsTo',
  (q, p) =>
    q
      .deleteFrom('relation')
      .where('room', '=', p.room)
      .where('target_id', 'in', p.list('eventIds'))
      .where('nid', 'not in', (eb) =>
        eb.selectFrom('event').select('event.nid').whereRef('event.nid', '=', 'relation.nid'),
      ),
);
export const deleteRelationsTo = defineWrite<{ room: number; eventIds: string[] }>('purge.deleteRelationsTo', (q, p) =>
  q.deleteFrom('relation').where('room', '=', p.room).where('target_id', 'in', p.list('eventIds')),
);
export const deleteThreadsOf = defineWrite<{ room: number; eventIds: string[] }>('purge.deleteThreadsOf', (q, p) =>
  q.deleteFrom('thread').where('room', '=', p.room).where('root_id', 'in', p.list('eventIds')),
);
