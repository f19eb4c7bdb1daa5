/**
 * Users who do things at random in a few rooms, and clients that ask meanwhile: with lost answers, repeated requests, restarts
 * of the client and of the server, and answers that are made while things happen.
 */
import type { Database } from '../../../src/storage/database.ts';
import { seededRandom, testPorts } from '../../support/test-ports.ts';
import { type SyncAnswer, TestRooms, type TestRoomsOptions, type TestUser } from '../../support/test-rooms.ts';
import { assertRepeated } from './assert-repeated.ts';
import { optionsAtRandom, requestOf } from './client-filter.ts';
import { type Asked, ModelClient, posOf } from './model-client.ts';
import { settledMs } from './model-presence.ts';
import { ModelWorld } from './model-world.ts';

export interface Life {
  readonly seed: number;
  readonly users: number;
  readonly actions: number;
}

/** Rejects with what went wrong, and what had been done just before. */
export async function liveAtRandom(db: Database, { seed, users: userCount, actions }: Life): Promise<void> {
  const random = seededRandom(`model ${seed}`);
  const pick = <T>(of: readonly T[]): T => of[random.int(of.length)] as T;
  const hasPresence = random.int(2) === 0;
  // Small bounds, so that everything is forgotten and read again all the time.
  const options = (): TestRoomsOptions => ({
    hotRoomsMax: 1 + random.int(3),
    hasPresence,
    // Of who is remembered no longer it is not known either that they are gone.
    sync: { idleUsersMax: hasPresence ? 2 * userCount : random.int(userCount), tailsMax: 1 + random.int(3) },
  });
  const ports = testPorts(seed);
  const test = new TestRooms(db, ports, options());
  const users: TestUser[] = [];
  for (let i = 0; i < userCount; i++) users.push(await test.user(`u${i}`));
  const userIds = users.map((user) => user.userId);
  const world = new ModelWorld(random, test, users, ports);
  await world.begin();
  const rooms = [...world.truth.logs.keys()];
  const clients = [
    ...users.map((user) => new ModelClient(user, { limit: 10, lazy: false })),
    ...world.otherDevices.map((user) => new ModelClient(user, optionsAtRandom(random, userIds, rooms))),
  ];
  world.onChanged = (userId, what) => {
    for (const client of clients) if (client.user.userId === userId) client.changed(what, world.truth);
  };
  const states = ['online', 'online', 'offline', 'unavailable'] as const;
  const ask = (client: ModelClient, { fullState, isQuiet }: Asked = plainly): Promise<SyncAnswer> => {
    // Who acts at the same moment is online before they say that they are not, or after it.
    const setPresence = pick(isQuiet ? states : states.slice(0, 3));
    const { user } = client;
    const answer = world.test.syncOnce(user, client.since, { ...requestOf(client.options), fullState, setPresence });
    return answer.finally(() => world.truth.presence?.synced(user.userId, user.deviceNid, setPresence));
  };

  /** The client knows everything, and has had the time to. */
  const complete = async (client: ModelClient): Promise<void> => {
    if (hasPresence) await world.timePasses(settledMs);
    client.take(await ask(client), world.truth, plainly);
    client.assertComplete(world.truth);
  };

  const step = async (): Promise<void> => {
    const client = pick(clients);
    const { userId } = client.user;
    world.history.push(`-- ${userId} asks ${JSON.stringify(client.options)}`);
    const ignored = world.truth.ignoredBy(userId);
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
        for (const each of clients) each.serverRestarted(world.absent());
        await world.test.presence.close();
        world.restarted(world.test.restarted(options()));
        await world.test.presence.resume();
        break;
      default:
        break;
    }
    // Some things happen before the answer, some while it is made.
    for (let i = random.int(5); i > 0; i--) await world.act();
    const meanwhile = random.int(2) * random.int(4);
    const asked: Asked = { fullState: random.int(10) === 0, isQuiet: meanwhile === 0 };
    if (asked.fullState) world.history.push('-- full state');
    const [answer] = await Promise.all([
      ask(client, asked),
      ...Array.from({ length: meanwhile }, () => world.act({ among: 'many' })),
    ]);
    await world.settle();
    if (lost !== undefined)
      assertRepeated(lost, answer, {
        userId,
        client: client.options,
        since: client.since,
        truth: world.truth,
        isQuiet: asked.isQuiet,
        hasSameIgnored: world.truth.ignoredBy(userId) === ignored,
        isMoving: (roomId) => {
          const own = world.truth.logs.get(roomId)?.ownEventAt(userId, Infinity);
          return own !== undefined && own.pos > posOf(answer.next_batch);
        },
      });
    client.take(answer, world.truth, asked);
    if (random.int(3) === 0) await complete(client);
  };

  try {
    while (world.actionCount < actions) await step();
    for (const client of clients) {
      world.history.push(`-- ${client.user.userId} asks at last`);
      await complete(client);
    }
  } catch (error) {
    const last = world.history.slice(-25).join(', ');
    throw new Error(`seed ${seed}, after ${world.actionCount} actions: ${last}`, { cause: error });
  } finally {
    await world.test.presence.close();
    await world.test.sync.close();
    world.test.rooms.close();
  }
}

const plainly: Asked = { fullState: false, isQuiet: true };
