/** Queries on real tables that specs of the engine use; `extremity` has two numbers as its key, `server_fact` a text. */
import { sql } from 'kysely';
import { defineRead, defineWrite } from '../../../src/storage/query.ts';

export const addPair = defineWrite<{ room: number; nid: number }>('spec.scratch.addPair', (q, p) =>
  q.insertInto('extremity').values({ room: p.room, nid: p.nid }),
);
export const removePair = defineWrite<{ room: number; nid: number }>('spec.scratch.removePair', (q, p) =>
  q.deleteFrom('extremity').where('room', '=', p.room).where('nid', '=', p.nid),
);
export const takePairs = defineWrite<{ room: number }, { nid: number }>('spec.scratch.takePairs', (q, p) =>
  q.deleteFrom('extremity').where('room', '=', p.room).returning('nid'),
);
export const pairs = defineRead<{ room: number }, { nid: number }>('spec.scratch.pairs', (q, p) =>
  q.selectFrom('extremity').select('nid').where('room', '=', p.room).orderBy('nid'),
);
export const allPairs = defineRead<Record<never, never>, { room: number; nid: number }>('spec.scratch.allPairs', (q) =>
  q.selectFrom('extremity').select(['room', 'nid']).orderBy('room').orderBy('nid'),
);
export const addBody = defineWrite<{ nid: number; body: Buffer }>('spec.scratch.addBody', (q, p) =>
  q.insertInto('event_body').values({ nid: p.nid, body: p.body }),
);
export const bodies = defineRead<{ nids: readonly number[] }, { nid: number; body: Buffer }>(
  'spec.scratch.bodies',
  (q, p) => q.selectFrom('event_body').select(['nid', 'body']).where('nid', 'in', p.list('nids')).orderBy('nid'),
);
export const setFact = defineWrite<{ name: string; value: string | null }>('spec.scratch.setFact', (q, p) =>
  q
    .insertInto('server_fact')
    // null is what a broken caller would hand in
    .values({ name: p.name, value: p.value.$notNull() })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: p.value.$notNull() })),
);
export const factsNamed = defineRead<{ names: readonly string[] }, { name: string; value: string }>(
  'spec.scratch.factsNamed',
  (q, p) => q.selectFrom('server_fact').select(['name', 'value']).where('name', 'in', p.list('names')).orderBy('name'),
);
export const addOneTimeKey = defineWrite<{ device: number; serial: number }>('spec.scratch.addOneTimeKey', (q, p) =>
  q.insertInto('one_time_key').values({
    device_nid: p.device,
    algorithm: 'signed_curve25519',
    serial: p.serial,
    key_id: sql<string>`'key' || cast(cast(${p.serial} as bigint) as text)`,
    json: '{}',
  }),
);
export const oneTimeKeys = defineRead<Record<never, never>, { key_id: string }>('spec.scratch.oneTimeKeys', (q) =>
  q.selectFrom('one_time_key').select('key_id'),
);
/** That was right. */
export const addRemoteList = defineWrite<{ user: number }>('spec.scratch.addRemoteList', (q, p) =>
  q.insertInto('remote_device_list').values({ user_nid: p.user, server_nid: 1, stream_id: 9, stale_pos: 0 }),
);
export const addMedia = defineWrite<{ id: string; sha256: Buffer }>('spec.scratch.addMedia', (q, p) =>
  q.insertInto('media').values({ origin: '', media_id: p.id, sha256: p.sha256, bytes: 3, created_ts: 0, protected: 0 }),
);
