/**
 * Clients that keep a model of what they must have seen. Nothing is missing, doubled, out of order, or seen without the right,
 * and counts are right. Any number of other rooms: `npm run fuzz:sync -- --from 1 --seeds 100`.
 */
import { describe, it } from 'vitest';
import { type TestEngine, onPostgres, onSqlite } from '../support/databases.ts';
import { type Life, liveAtRandom } from './model/live.ts';

const live = (engine: TestEngine, seeds: readonly number[], life: Omit<Life, 'seed'>): void => {
  it.each(seeds)(
    `seed %i, ${life.users} users, ${life.actions} actions`,
    async (seed) => {
      await liveAtRandom(await engine.open(), { ...life, seed });
    },
    600_000,
  );
};

describe('clients know what they must', () => {
  onSqlite('SQLite', (engine) => {
    live(engine, [1, 2, 3, 4, 5, 6], { users: 5, actions: 300 });
    live(engine, [11], { users: 20, actions: 2_000 });
  });
  onPostgres('PostgreSQL', (engine) => live(engine, [101, 102], { users: 5, actions: 120 }));
});
