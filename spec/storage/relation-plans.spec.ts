/** What is looked up for every page of a timeline must not read more than it needs, however much is stored. */
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { expect, it } from 'vitest';
import { boundValues, compiledStatement } from '../../src/storage/query.ts';
import { authChainStretches } from '../../src/storage/stores/auth-dag-store.ts';
import { bundlesOf } from '../../src/storage/stores/relation-store.ts';
import { threadsBackwards } from '../../src/storage/stores/thread-store.ts';
import { serverJoinedIn, usersOfServerInRoom } from '../../src/storage/stores/room-server-store.ts';
import { searchableAfter } from '../../src/storage/stores/search-store.ts';
import { childEventsOf, roomsWithChildren } from '../../src/storage/stores/space-store.ts';
import { historyOfManyKeys } from '../../src/storage/stores/state-line-store.ts';
import { bodiesOfEvents, eventIdsByNids } from '../../src/storage/stores/timeline-store.ts';
import { visibleUsers, wordsBetween } from '../../src/storage/stores/user-directory-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';

const queries = [
  [bundlesOf, { nids: [1, 2], before: 1, user: 1, ignored: [3] }],
  [threadsBackwards, { room: 1, before: 1, limit: 10 }],
  [searchableAfter, { room: 1, ord: 1, limit: 10 }],
  [roomsWithChildren, { roomIds: ['!a:test'] }],
  [childEventsOf, { rooms: [1, 2] }],
  [wordsBetween, { from: 'a', below: 'b', afterWord: '', afterUser: 0, limit: 10 }],
  [authChainStretches, { rows: '[[1,0,5]]' }],
  [serverJoinedIn, { room: 1, servers: [1, 2] }],
  [usersOfServerInRoom, { room: 1, server: 1, limit: 10 }],
  [historyOfManyKeys, { room: 1, skeys: [1, 2] }],
  [bodiesOfEvents, { nids: [1, 2] }],
  [eventIdsByNids, { nids: [1, 2] }],
  [visibleUsers, { users: [1, 2], user: 3, everybody: 0 }],
] as const;

describeOnBothEngines('plans of queries', (engine) => {
  it.each(queries)('use an index for every table: $name', async (query, params) => {
    const options = engine.optionsOf(await engine.open({ reopenable: true }));
    const statement = compiledStatement(query, options.engine);
    const values = boundValues(statement, params, options.engine);
    const plan =
      options.engine === 'sqlite'
        ? planOfSqlite(options.path, statement.sql, values)
        : await planOfPostgres(options.url, statement.sql, values);
    expect(plan.filter((step) => /\bSCAN (?!CONSTANT|json_each|[ewx]\b|\()|\bSeq Scan on/.test(step))).toEqual([]);
    expect(plan.filter((step) => /\bSEARCH|Index/.test(step))).not.toEqual([]);
  });
});

type Values = ReturnType<typeof boundValues>;

function planOfSqlite(path: string, sql: string, values: Values): string[] {
  const connection = new Sqlite(path, { readonly: true });
  const steps = connection.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
  connection.close();
  return steps.map(({ detail }) => detail);
}

/** As it would be with many rows: scans of small tables are dear. */
async function planOfPostgres(url: string, sql: string, values: Values): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('SET enable_seqscan = off');
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, [...values]);
  await client.end();
  return rows.map((row) => row['QUERY PLAN']);
}
