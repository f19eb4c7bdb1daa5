/**
 * Devices that write to each other, claim keys and change their own at random, while answers get lost, requests are repeated
 * and the server starts anew: no message is lost, doubled or out of order, no one-time key is given out twice, and whoever is
 * in an encrypted room with somebody knows their keys.
 */
import { it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { onPostgres, onSqlite } from '../support/databases.ts';
import { Traffic } from './support/traffic.ts';

const live = async (db: Database, seed: number, actions: number): Promise<void> => {
  const traffic = new Traffic(db, seed);
  await traffic.begin(['alice', 'bob', 'carol'], 2);
  for (let n = 0; n < actions; n++) await traffic.act();
  await traffic.end();
};

onSqlite('encrypted traffic (SQLite)', (engine) => {
  it.each([1, 2, 3, 4, 5, 6])('of seed %i arrives', async (seed) => live(await engine.open(), seed, 300));
});
onPostgres('encrypted traffic (PostgreSQL)', (engine) => {
  it.each([101])('of seed %i arrives', async (seed) => live(await engine.open(), seed, 150));
});
