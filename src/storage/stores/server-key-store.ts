/** Signing keys of other servers: table server_key. */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface ServerKeyRow {
  server: string;
  key_id: string;
  fetched_ts: number;
  /** The signed answer that has the key. */
  json: string;
}

/** Those of the servers whose id is among the ids, whichever server each was asked of. */
export const serverKeys = defineRead<{ servers: readonly string[]; keyIds: readonly string[] }, ServerKeyRow>(
  'serverKey.find',
  (q, p) =>
    q
      .selectFrom('server_key')
      .select(['server', 'key_id', 'fetched_ts', 'json'])
      .where('server', 'in', p.list('servers'))
      .where('key_id', 'in', p.list('keyIds')),
);

/** The newest answers of a server. */
export const serverKeyAnswers = defineRead<{ server: string; limit: number }, { json: string; fetched_ts: number }>(
  'serverKey.answers',
  (q, p) =>
    q
      .selectFrom('server_key')
      .select((e) => ['json', e.fn.max('fetched_ts').as('fetched_ts')])
      .where('server', '=', p.server)
      .groupBy('json')
      .orderBy('fetched_ts', 'desc')
      .limit(bigint(p.limit)),
);

export const putServerKey = defineWrite<{
  server: string;
  keyId: string;
  validUntilTs: number;
  fetchedTs: number;
  json: string;
}>('serverKey.put', (q, p) =>
  q
    .insertInto('server_key')
    .values({
      server: p.server,
      key_id: p.keyId,
      valid_until_ts: p.validUntilTs,
      fetched_ts: p.fetchedTs,
      json: p.json,
    })
    .onConflict((conflict) =>
      conflict.columns(['server', 'key_id']).doUpdateSet((e) => ({
        valid_until_ts: e.ref('excluded.valid_until_ts'),
        fetched_ts: e.ref('excluded.fetched_ts'),
        json: e.ref('excluded.json'),
      })),
    ),
);
