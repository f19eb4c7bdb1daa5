/**
 * Devices that write to each other, claim keys and change their own at random, while answers get lost, requests are repeated
 * and the server starts anew: no message is lost, doubled or out of order, no one-time key is given out twice, and whoever is
 * in an encrypted room with somebody knows their keys.
 */
import { it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import type { SlidingShape } from '../../src/sync/sliding/sliding-request.ts';
import { onPostgres, onSqlite } from '../support/databases.ts';
import { Traffic } from './support/traffic.ts';

const live = async (db: Database, seed: number, actions: number, via?: SlidingShape): Promise<void> => {
  const traffic = new Traffic(db, seed, via);
  await traffic.begin(['alice', 'bob', 'carol'], 2);
  for (let n = 0; n < actions; n++) await traffic.act();
  await traffic.end();
};

onSqlite('encrypted traffic (SQLite)', (engine) => {
  it.each([1, 2, 3, 4, 5, 6])('of seed %i arrives', async (seed) => live(await engine.open(), seed, 300));
});
onSqlite('encrypted traffic by sliding sync (SQLite)', (engine) => {
  it.each([
    [1, 'v4'],
    [2, 'unstable'],
    [3, 'v4'],
  ] as const)('of seed %i arrives (%s)', async (seed, via) => live(await engine.open(), seed, 300, via));
});
onPostgres('encrypted traffic (PostgreSQL)', (engine) => {
  it.each([101])('of seed %i arrives', async (seed) => live(await engine.open(), seed, 150));
});
