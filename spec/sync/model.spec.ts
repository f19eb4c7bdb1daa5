/**
 * Clients that keep a model of what they must have seen, over random rooms: with lost answers, restarts of the client and of
 * the server, and answers that are made while things happen. Nothing is missing, doubled, out of order, or seen without the
 * right.
 */
import { describe, it } from 'vitest';
import { type TestEngine, onPostgres, onSqlite } from '../support/databases.ts';
import { seededRandom, testPorts } from '../support/test-ports.ts';
import { type SyncAnswer, TestRooms, type TestRoomsOptions, type TestUser } from '../support/test-rooms.ts';
import { ModelClient } from './model/model-client.ts';
import { ModelWorld } from './model/model-world.ts';

async function liveAtRandom(engine: TestEngine, seed: number, steps: number): Promise<void> {
  const random = seededRandom(`model ${seed}`);
  const ports = testPorts(seed);
  const db = await engine.open();
  // Small bounds, so that everything is forgotten and read again all the time.
  const options = (): TestRoomsOptions => ({
    hotRoomsMax: 1 + random.int(3),
    sync: { idleUsersMax: random.int(4), tailsMax: 1 + random.int(3) },
  });
  const test = new TestRooms(db, ports, options());
  const users: TestUser[] = [];
  for (let i = 0; i < 5; i++) users.push(await test.user(`u${i}`));
  const world = new ModelWorld(random, test, users);
  for (const creator of users.slice(0, 3)) await world.makeRoom(creator);
  const clients = users.flatMap((user, index) => [
    new ModelClient(user, { limit: 10, lazy: false }),
    new ModelClient({ ...user, deviceNid: 100 + index }, { limit: 1 + random.int(4), lazy: random.int(2) === 0 }),
  ]);
  const ask = (client: ModelClient): Promise<SyncAnswer> =>
    world.test.syncOnce(client.user, client.since, { filter: client.filter });

  for (let step = 0; step < steps; step++) {
    const client = clients[random.int(clients.length)];
    if (client === undefined) throw new Error('there are clients');
    world.history.push(`-- ${client.user.userId} asks`);
    switch (random.int(12)) {
      case 0:
        // An answer that never arrives.
        await ask(client);
        break;
      case 1:
        client.forget();
        break;
      case 2:
        world.history.push('-- restart');
        world.restarted(world.test.restarted(options()));
        for (const each of clients) each.serverRestarted();
        break;
      default:
        break;
    }
    // Some things happen before the answer, some while it is made.
    for (let i = random.int(3); i > 0; i--) await world.act();
    const [answer] = await Promise.all([
      ask(client),
      ...Array.from({ length: random.int(2) * random.int(4) }, () => world.act({ among: 'many' })),
    ]);
    await world.settle();
    client.take(answer, world.truth);
    if (random.int(3) > 0) continue;
    client.take(await ask(client), world.truth);
    client.assertComplete(world.truth);
  }
  for (const client of clients) {
    client.take(await ask(client), world.truth);
    client.assertComplete(world.truth);
  }
}

const live = (engine: TestEngine, seeds: readonly number[], steps: number): void => {
  it.each(seeds)('seed %i', async (seed) => {
    await liveAtRandom(engine, seed, steps);
  });
};

describe('clients know what they must', () => {
  onSqlite('SQLite', (engine) =>
    live(
      engine,
      Array.from({ length: 10 }, (_, index) => index + 1),
      150,
    ),
  );
  onPostgres('PostgreSQL', (engine) => live(engine, [101, 102], 100));
});
