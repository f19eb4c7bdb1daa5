/**
 * Users who do things at random in a few rooms, and clients that ask meanwhile: with lost answers, repeated requests, restarts
 * of the client and of the server, and answers that are made while things happen.
 */
import type { RoomId } from '../../../src/matrix/ids/ids.ts';
import type { Database } from '../../../src/storage/database.ts';
import { seededRandom, testPorts } from '../../support/test-ports.ts';
import { type SyncAnswer, TestRooms, type TestRoomsOptions, type TestUser } from '../../support/test-rooms.ts';
import { assertRepeated } from './assert-repeated.ts';
import { optionsAtRandom, requestOf } from './client-filter.ts';
import { ModelClient, posOf } from './model-client.ts';
import { ModelWorld } from './model-world.ts';

export interface Life {
  readonly seed: number;
  readonly users: number;
  readonly actions: number;
}

/** Rejects with what went wrong, and what had been done just before. */
export async function liveAtRandom(db: Database, { seed, users: userCount, actions }: Life): Promise<void> {
  const random = seededRandom(`model ${seed}`);
  // Small bounds, so that everything is forgotten and read again all the time.
  const options = (): TestRoomsOptions => ({
    hotRoomsMax: 1 + random.int(3),
    sync: { idleUsersMax: random.int(userCount), tailsMax: 1 + random.int(3) },
  });
  const test = new TestRooms(db, testPorts(seed), options());
  const users: TestUser[] = [];
  for (let i = 0; i < userCount; i++) users.push(await test.user(`u${i}`));
  const userIds = users.map((user) => user.userId);
  const world = new ModelWorld(random, test, users);
  for (const creator of users.slice(0, 3)) await world.makeRoom(creator);
  const clients = users.flatMap((user, index) => [
    new ModelClient(user, { limit: 10, lazy: false }),
    new ModelClient({ ...user, deviceNid: 1_000 + index }, optionsAtRandom(random, userIds)),
  ]);
  const ask = (client: ModelClient): Promise<SyncAnswer> =>
    world.test.syncOnce(client.user, client.since, requestOf(client.options));

  const step = async (): Promise<void> => {
    const client = clients[random.int(clients.length)];
    if (client === undefined) throw new Error('there are clients');
    world.history.push(`-- ${client.user.userId} asks`);
    let lost: SyncAnswer | undefined;
    switch (random.int(12)) {
      case 0:
      case 1:
        // An answer that never arrives.
        lost = await ask(client);
        break;
      case 2:
        client.forget();
        break;
      case 3:
        world.history.push('-- restart');
        world.restarted(world.test.restarted(options()));
        for (const each of clients) each.serverRestarted();
        break;
      default:
        break;
    }
    // Some things happen before the answer, some while it is made.
    for (let i = random.int(5); i > 0; i--) await world.act();
    const meanwhile = random.int(2) * random.int(4);
    const [answer] = await Promise.all([
      ask(client),
      ...Array.from({ length: meanwhile }, () => world.act({ among: 'many' })),
    ]);
    await world.settle();
    if (lost !== undefined)
      assertRepeated(lost, answer, {
        ...client.options,
        isQuiet: meanwhile === 0,
        isMoving: (roomId) => {
          const own = world.truth.logs.get(roomId as RoomId)?.ownEventAt(client.user.userId, Infinity);
          return own !== undefined && own.pos > posOf(answer.next_batch);
        },
      });
    client.take(answer, world.truth);
    if (random.int(3) > 0) return;
    client.take(await ask(client), world.truth);
    client.assertComplete(world.truth);
  };

  try {
    while (world.actionCount < actions) await step();
    for (const client of clients) {
      world.history.push(`-- ${client.user.userId} asks at last`);
      client.take(await ask(client), world.truth);
      client.assertComplete(world.truth);
    }
  } catch (error) {
    const last = world.history.slice(-25).join(', ');
    throw new Error(`seed ${seed}, after ${world.actionCount} actions: ${last}`, { cause: error });
  } finally {
    await world.test.sync.close();
    world.test.rooms.close();
  }
}
