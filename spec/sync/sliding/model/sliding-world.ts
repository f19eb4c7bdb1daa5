/**
 * Random things happen in a few rooms, to model clients that lose answers, repeat requests, change their rules, and outlive
 * restarts and the end of their connections.
 */
import { MatrixError } from '../../../../src/matrix/errors.ts';
import type { EventId, RoomId } from '../../../../src/matrix/ids/ids.ts';
import { limits } from '../../../../src/platform/limits.ts';
import type { Random } from '../../../../src/platform/ports.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { type TestPorts, testPorts } from '../../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../../support/test-rooms.ts';
import { assertComplete } from './assert-complete.ts';
import { type Asker, directly, overHttp } from './sliding-askers.ts';
import { SlidingModel } from './sliding-model.ts';
import { type Rules, everything } from './sliding-rules.ts';

export interface SlidingLife {
  readonly seed: number;
  readonly actions: number;
  /** Through a listener and the endpoints of both shapes. */
  readonly isOverHttp?: boolean;
}

/** Rejects with what went wrong, and what happened before. */
export async function liveWithSliding(db: Database, { seed, actions, isOverHttp }: SlidingLife): Promise<void> {
  const ports = testPorts(seed);
  const world = new SlidingWorld(new TestRooms(db, ports), ports);
  await world.begin();
  const http = isOverHttp === true ? await overHttp(() => world.test, world.models) : undefined;
  const ask = http?.ask ?? directly(() => world.test);
  try {
    for (let action = 0; action < actions; action++) await world.step(ask);
    for (const model of world.models) {
      for (let asked = 0; asked < 3; asked++) await world.sync(ask, model, everything);
      await assertComplete(world, model, await ask(model, everything, model.pos));
    }
  } catch (error) {
    throw new Error(`seed ${seed}: ${world.history.slice(-30).join('; ')}`, { cause: error });
  } finally {
    await http?.close();
    await world.test.sync.close();
    world.test.rooms.close();
  }
}

class SlidingWorld {
  test: TestRooms;
  readonly history: string[] = [];
  readonly models: SlidingModel[] = [];
  /** Whom the reader ignores, and ever ignored. */
  ignored: ReadonlySet<string> = new Set();
  readonly everIgnored = new Set<string>();
  readonly #ports: TestPorts;
  readonly #random: Random;
  readonly #users: TestUser[] = [];
  readonly #rooms: RoomId[] = [];
  readonly #said: EventId[] = [];
  readonly #rules = new Map<SlidingModel, Rules>();
  /** Connections were not used for so long that they may be forgotten. */
  #mayExpire = new Set<SlidingModel>();
  #count = 0;

  constructor(test: TestRooms, ports: TestPorts) {
    this.test = test;
    this.#ports = ports;
    this.#random = ports.random;
  }

  async begin(): Promise<void> {
    for (const name of ['alice', 'bob', 'carol', 'dave']) this.#users.push(await this.test.user(name));
    const [alice, bob] = this.#users as [TestUser, TestUser];
    for (let i = 0; i < 4; i++) this.#rooms.push(await this.test.createRoom(alice));
    this.#rooms.push(await this.test.createRoom(alice, { preset: 'private_chat' }));
    this.#rooms.push(await this.test.createRoom(alice, { creationContent: { type: 'm.space' } }));
    const [, , , knockable] = this.#rooms as [RoomId, RoomId, RoomId, RoomId];
    await this.test.setState(alice, knockable, 'm.room.join_rules', { join_rule: 'knock' });
    const shapes = ['v4', 'unstable'] as const;
    for (const [index, shape] of shapes.entries())
      this.models.push(new SlidingModel({ ...bob, deviceNid: 500 + index }, `connection-${index}`, shape));
  }

  async step(ask: Asker): Promise<void> {
    const dice = this.#random.int(60);
    if (dice === 0) await this.#restart();
    else if (dice === 1) await this.#expire();
    else if (dice < 24) await this.#syncAtRandom(ask, this.#pick(this.models));
    // What somebody may not do changes nothing.
    else
      await this.#act().catch((error: unknown) => {
        if (!(error instanceof MatrixError)) throw error;
      });
  }

  /** One answer that arrives. */
  async sync(ask: Asker, model: SlidingModel, rules: Rules): Promise<void> {
    const { pos, formerPos } = model;
    const answer = await ask(model, rules, pos);
    if (answer === undefined) return this.#lost(ask, model, rules);
    if (formerPos !== undefined && formerPos !== pos && (await ask(model, rules, formerPos)) !== undefined)
      throw new Error('a position that is over is known');
    this.#mayExpire.delete(model);
    model.take(answer, this.ignored);
  }

  async #syncAtRandom(ask: Asker, model: SlidingModel): Promise<void> {
    const rules = this.#random.int(3) === 0 ? this.#rulesAtRandom() : (this.#rules.get(model) ?? this.#rulesAtRandom());
    this.#rules.set(model, rules);
    const luck = this.#random.int(8);
    const how = luck === 0 ? ', and loses it' : luck === 1 ? ', twice' : luck === 2 ? ', anew' : '';
    this.history.push(`${model.connId} asks ${JSON.stringify(rules)}${how}`);
    if (luck === 2) model.forget();
    if (luck > 1) return this.sync(ask, model, rules);
    const first = await ask(model, rules, model.pos);
    if (first === undefined) return this.#lost(ask, model, rules);
    this.#mayExpire.delete(model);
    if (luck === 0) return;
    await this.#act().catch(() => undefined);
    // Either of the two answers may be the one that arrives; of two connections that begin the second takes the first one's place.
    const second = await ask(model, rules, model.pos);
    if (second === undefined) throw new Error('a request cannot be repeated');
    if (model.pos === undefined || this.#random.int(2) === 0) model.take(second, this.ignored);
    else if (first.pos !== model.pos) model.take(first, new Set());
  }

  /** The connection is gone: the client begins anew. */
  async #lost(ask: Asker, model: SlidingModel, rules: Rules): Promise<void> {
    if (!this.#mayExpire.has(model)) throw new Error(`the position of ${model.connId} is not known`);
    this.history.push(`${model.connId} has expired`);
    model.forget();
    await this.sync(ask, model, rules);
  }

  #rulesAtRandom(): Rules {
    return {
      range: [0, this.#pick([0, 1, 3, 99])],
      timelineLimit: this.#pick([1, 2, 5]),
      wanted: this.#pick(['everything', 'few', 'excluding'] as const),
      subscribed: this.#random.int(4) === 0 ? [this.#pick(this.#rooms)] : [],
      filter: this.#pick(['none', 'none', 'no spaces', 'no invites'] as const),
    };
  }

  async #act(): Promise<unknown> {
    const [user, roomId] = [this.#pick(this.#users), this.#pick(this.#rooms)];
    const [alice, bob] = this.#users as [TestUser, TestUser];
    const { rooms } = this.test;
    const target = this.#pick(this.#users).userId;
    const what = this.#random.int(26);
    this.history.push(`${user.userId} ${what} ${target} ${this.#rooms.indexOf(roomId)}`);
    if (what < 3) return rooms.joinRoom(user, { roomId });
    if (what === 3) return user === alice ? undefined : rooms.leaveRoom(user, { roomId });
    if (what === 4) return this.#setState(roomId, 'm.room.topic', { topic: `topic ${++this.#count}` });
    if (what === 5) return this.#setState(roomId, 'm.room.name', { name: this.#pick(['', 'name']) });
    if (what === 6) return this.#setState(roomId, 'org.example', { n: ++this.#count }, this.#pick(['a', 'b']));
    if (what < 9) return rooms.inviteUser(alice, { roomId, target });
    if (what === 9) return rooms.kickUser(alice, { roomId, target });
    if (what === 10) return rooms.banUser(alice, { roomId, target });
    if (what < 13) return rooms.unbanUser(alice, { roomId, target });
    if (what === 13) return rooms.knockRoom(user, { roomId });
    if (what === 14) return rooms.forgetRoom(bob, roomId);
    if (what < 18) return this.#read(user, roomId);
    if (what === 18) return this.#random.int(4) === 0 ? this.#ignore(bob) : undefined;
    if (what === 19) return this.#random.int(4) === 0 ? this.#erase() : undefined;
    const mentions = this.#random.int(3) === 0 ? { 'm.mentions': { user_ids: [bob.userId] } } : {};
    this.#said.push(await this.test.say(user, roomId, `text ${++this.#count}`, mentions));
    return undefined;
  }

  #setState(roomId: RoomId, type: string, content: Record<string, string | number>, key = ''): Promise<EventId> {
    const [alice] = this.#users as [TestUser];
    return this.test.setState(alice, roomId, type, content, key);
  }

  async #read(user: TestUser, roomId: RoomId): Promise<void> {
    const eventId = this.#said.at(-1 - this.#random.int(6));
    const type = this.#pick(['m.read', 'm.read', 'm.read.private'] as const);
    if (eventId !== undefined) await this.test.rooms.setReceipt(user, roomId, type, eventId, undefined);
  }

  async #ignore(reader: TestUser): Promise<void> {
    const ignored = this.#users.slice(2).filter(() => this.#random.int(2) === 0);
    this.ignored = new Set(ignored.map(({ userId }) => userId));
    for (const userId of this.ignored) this.everIgnored.add(userId);
    const users = Object.fromEntries([...this.ignored].map((userId) => [userId, {}]));
    await this.test.setAccountData(reader, 'm.ignored_user_list', { ignored_users: users });
    for (const model of this.models) model.ignoredChanged();
  }

  /** The last user's account ends, and what they said is to be forgotten. */
  async #erase(): Promise<void> {
    if (this.#users.length < 4) return;
    const [last] = this.#users.splice(-1) as [TestUser];
    await this.test.deactivate(last, { isErased: true });
  }

  async #restart(): Promise<void> {
    this.history.push('restart');
    await this.test.sync.close();
    this.test = this.test.restarted();
    await this.test.erasedUsers.load();
  }

  async #expire(): Promise<void> {
    if (this.#random.int(4) > 0) return;
    this.history.push('a long time');
    this.#mayExpire = new Set(this.models);
    await this.#ports.advance(limits.slidingUnusedMs + limits.slidingSweepMs);
    await this.#restart();
  }

  #pick<T>(of: readonly T[]): T {
    return of[this.#random.int(of.length)] as T;
  }
}
