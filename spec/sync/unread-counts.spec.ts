/** Unread counts against counting event by event, over random rooms. */
import { assert, describe, it } from 'vitest';
import { compilePushRules } from '../../src/matrix/push-rules/compile-push-rules.ts';
import { defaultPushRules } from '../../src/matrix/push-rules/default-push-rules.ts';
import { senderMayNotify } from '../../src/matrix/push-rules/push-context.ts';
import { pushEventOf } from '../../src/matrix/push-rules/push-event.ts';
import type { PushRuleset } from '../../src/matrix/push-rules/push-rule.ts';
import { type UserPushRules, mergePushRules, unchangedPushRules } from '../../src/matrix/push-rules/user-push-rules.ts';
import { MatrixError } from '../../src/matrix/errors.ts';
import { type Relation, relationOf, threadRootOf } from '../../src/matrix/events/relations.ts';
import type { RoomEvent } from '../../src/matrix/events/room-event.ts';
import type { EventId, RoomId, UserId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { Random } from '../../src/platform/ports.ts';
import { type TestEngine, onPostgres, onSqlite } from '../support/databases.ts';
import { seededRandom, testPorts } from '../support/test-ports.ts';
import { type JoinedRoom, TestRooms, type TestUser } from '../support/test-rooms.ts';
import { memberCountEdits, ruleEdits } from './model/rule-edits.ts';

interface Counts {
  readonly notification_count: number;
  readonly highlight_count: number;
}
/** By thread root; 'main' is the rest of the room, or all of it for those who do not ask by thread. */
type RoomCounts = Readonly<Record<string, Counts>>;
interface ModelReader {
  readonly user: TestUser;
  isJoined: boolean;
  /** How many events of the room are read, and of it in single threads. */
  read: number;
  readonly readIn: Map<string, number>;
  /** Whether the client asks for the counts of each thread. */
  readonly byThread: boolean;
  rules: UserPushRules;
  since: string | undefined;
  /** What the client was told last; undefined: nothing that still has to hold. */
  told: RoomCounts | undefined;
}

class CountingRoom {
  readonly #random: Random;
  readonly #test: TestRooms;
  readonly #roomId: RoomId;
  readonly #readers: readonly ModelReader[];
  /** The timeline, with what was redacted left out. */
  readonly #events: (RoomEvent | 'redacted')[] = [];
  readonly #ids: EventId[] = [];
  /** Of each event its thread, and what it says to relate to as long as it is not redacted. */
  readonly #threads: string[] = [];
  readonly #relations = new Map<EventId, Relation>();
  readonly #creator: TestUser;
  /** Rules that ask for the number of members are for rooms in which it stays: it is asked when the server counts. */
  readonly #membersChange: boolean;
  #txn = 0;

  constructor(random: Random, test: TestRooms, roomId: RoomId, readers: readonly ModelReader[]) {
    this.#random = random;
    this.#membersChange = random.int(2) === 0;
    this.#test = test;
    this.#roomId = roomId;
    this.#readers = readers;
    const [creator] = readers;
    if (creator === undefined) throw new Error('a room has its creator');
    this.#creator = creator.user;
    creator.isJoined = true;
  }

  async begin(): Promise<void> {
    if (!this.#membersChange)
      for (const reader of this.#readers.slice(1, 2 + this.#random.int(3))) await this.#join(reader);
    await this.#send(this.#pick(this.#readers.filter((reader) => reader.isJoined)));
  }

  async step(): Promise<string> {
    const reader = this.#pick(this.#readers);
    const actions: (readonly [number, string, () => Promise<unknown>])[] = reader.isJoined
      ? [
          [10, 'send', () => this.#send(reader)],
          [2, 'state', () => this.#sendState(reader)],
          [3, 'redact', () => this.#redact(reader)],
          [4, 'receipt', () => this.#receipt(reader)],
          [3, 'rules', () => this.#changeRules(reader)],
          [4, 'sync', () => this.#sync(reader)],
          [this.#membersChange ? 1 : 0, 'leave', () => this.#leave(reader)],
        ]
      : [
          [this.#membersChange ? 1 : 0, 'join', () => this.#join(reader)],
          [1, 'sync', () => this.#sync(reader)],
        ];
    let at = this.#random.int(actions.reduce((sum, [weight]) => sum + weight, 0));
    const [, name, run] = actions.find(([weight]) => (at -= weight) < 0) ?? [0, '', async () => undefined];
    await run();
    return `${reader.user.userId} ${name}`;
  }

  /** Both ways of asking give what counting gives. */
  async check(): Promise<void> {
    for (const reader of this.#readers) {
      if (!reader.isJoined) continue;
      for (const byThread of [false, true]) {
        const answer = await this.#test.syncOnce(reader.user, undefined, { filter: filterOf(byThread) });
        const told = countsIn(answer.rooms?.join?.[this.#roomId]);
        assert.deepEqual(told, this.#counted(reader, byThread), `${reader.user.userId} ${byThread}`);
      }
      await this.#sync(reader);
    }
  }

  #counted(reader: ModelReader, byThread: boolean): RoomCounts {
    const rules = compilePushRules(rulesetOf(reader));
    const { userId, profile } = reader.user;
    const displayName = typeof profile['displayname'] === 'string' ? profile['displayname'] : undefined;
    const memberCount = this.#readers.filter((other) => other.isJoined).length;
    const counts: Record<string, Counts> = { main: { notification_count: 0, highlight_count: 0 } };
    for (const [index, event] of this.#events.entries()) {
      const thread = this.#threads[index] ?? 'main';
      if (index < Math.max(reader.read, reader.readIn.get(thread) ?? 0)) continue;
      if (event === 'redacted' || event.sender === userId) continue;
      const level = event.sender === this.#creator.userId ? Infinity : 0;
      const room = { memberCount, senderMayNotify: (key: string) => senderMayNotify(key, level, undefined) };
      const outcome = rules.evaluate(pushEventOf(event), room, { userId, displayName });
      if (!outcome.notify && !outcome.highlight) continue;
      const part = byThread ? thread : 'main';
      const known = counts[part] ?? { notification_count: 0, highlight_count: 0 };
      counts[part] = {
        notification_count: known.notification_count + (outcome.notify ? 1 : 0),
        highlight_count: known.highlight_count + (outcome.highlight ? 1 : 0),
      };
    }
    return counts;
  }

  async #happened(eventId: EventId): Promise<void> {
    const event = await this.#test.storedEvent(eventId);
    this.#ids.push(eventId);
    this.#events.push(event);
    this.#threads.push(threadRootOf(event, (id) => this.#relations.get(id)) ?? 'main');
    const relation = relationOf(event);
    if (relation !== undefined) this.#relations.set(eventId, relation);
  }

  /** What an event relates to, by one relation after another up to the root of a thread. */
  #ancestors(eventId: EventId): EventId[] {
    const ancestors: EventId[] = [];
    for (let at = this.#relations.get(eventId); at !== undefined && ancestors.length < 3;) {
      ancestors.push(at.targetId);
      at = at.relType === 'm.thread' ? undefined : this.#relations.get(at.targetId);
    }
    return ancestors;
  }

  async #send(reader: ModelReader): Promise<void> {
    const others = this.#readers.filter(() => this.#random.int(3) === 0).map((other) => other.user.userId);
    const [root, mentions] = [this.#ids[this.#random.int(3)], { user_ids: others }];
    const contents: readonly (readonly [string, JsonObject])[] = [
      ['m.room.message', { msgtype: 'm.text', body: 'hello bob and anchovies' }],
      ['m.room.message', { msgtype: 'm.text', body: 'hi', 'm.mentions': { user_ids: others } }],
      ['m.room.message', { msgtype: 'm.notice', body: 'a notice', 'm.mentions': { user_ids: others } }],
      ['m.room.message', { msgtype: 'm.text', body: '@room', 'm.mentions': { room: true, user_ids: others } }],
      ['m.room.message', { body: 'edit', 'm.relates_to': { rel_type: 'm.replace', event_id: this.#ids.at(-1) } }],
      ['m.room.message', { body: 'thread', 'm.relates_to': { rel_type: 'm.thread', event_id: this.#ids.at(-1) } }],
      ['m.room.message', { body: 'thread', 'm.relates_to': { rel_type: 'm.thread', event_id: root } }],
      [
        'm.room.message',
        { body: '1', 'm.relates_to': { rel_type: 'm.thread', event_id: root }, 'm.mentions': mentions },
      ],
      [
        'm.room.message',
        { body: 'see', 'm.relates_to': { rel_type: 'm.reference', event_id: this.#ids[this.#random.int(20)] } },
      ],
      ['m.room.encrypted', { ciphertext: 'x', 'm.mentions': { user_ids: others } }],
      ['m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: this.#ids.at(-1), key: '+' } }],
      ['m.call.invite', {}],
      ['org.example', { 'm.mentions': { user_ids: others, room: true } }],
    ];
    const [type, content] = this.#pick(contents);
    const txnId = `txn ${++this.#txn}`;
    const sent = await this.#test.rooms
      .sendMessage(reader.user, {
        roomId: this.#roomId,
        type,
        content: definedOnly(content),
        transaction: { deviceNid: reader.user.deviceNid, path: 'send', txnId },
      })
      .catch((error: unknown) => {
        // A second annotation of the same kind, or a thread within a thread.
        if (error instanceof MatrixError) return undefined;
        throw error;
      });
    if (sent === undefined) return;
    await this.#happened(sent);
    reader.read = this.#events.length;
  }

  async #sendState(reader: ModelReader): Promise<void> {
    const [type, content] = this.#pick<readonly [string, JsonObject]>([
      ['m.room.topic', { topic: `topic ${++this.#txn}` }],
      ['m.room.topic', { topic: `topic ${++this.#txn}`, 'm.mentions': { room: true } }],
      ['m.room.tombstone', { body: `over ${++this.#txn}` }],
    ]);
    await this.#happened(await this.#test.setState(reader.user, this.#roomId, type, content));
    // What would count for its sender too is read by sending it.
    if (type === 'm.room.tombstone' || (content['m.mentions'] !== undefined && reader.user === this.#creator))
      reader.read = this.#events.length;
  }

  async #redact(reader: ModelReader): Promise<void> {
    const index = this.#random.int(this.#events.length);
    const event = this.#events[index];
    const eventId = this.#ids[index];
    const mayRedact = reader.user === this.#creator || (event !== 'redacted' && event?.sender === reader.user.userId);
    if (event === undefined || eventId === undefined || !mayRedact) return;
    // A redacted membership or power level would change what the model takes for granted.
    if (event !== 'redacted' && ['m.room.member', 'm.room.power_levels'].includes(event.type)) return;
    const redaction = await this.#test.rooms.redactEvent(reader.user, { roomId: this.#roomId, eventId, content: {} });
    this.#events[index] = 'redacted';
    this.#relations.delete(eventId);
    await this.#happened(redaction);
    reader.read = this.#events.length;
  }

  async #receipt(reader: ModelReader): Promise<void> {
    const index = this.#random.int(this.#events.length);
    const eventId = this.#ids[index];
    if (eventId === undefined) return;
    const type = this.#pick(['m.read', 'm.read.private'] as const);
    const ancestors = this.#ancestors(eventId);
    const own = this.#threads[index] ?? 'main';
    const thread = this.#pick([undefined, 'main', own, own, eventId, this.#pick(this.#ids), ...ancestors]);
    const fits = thread === undefined || thread === own || thread === eventId || ancestors.some((id) => id === thread);
    const sent = this.#test.rooms.setReceipt(reader.user, this.#roomId, type, eventId, thread);
    if (!fits) return assertRefused(sent);
    await sent;
    if (thread === undefined) reader.read = Math.max(reader.read, index + 1);
    else reader.readIn.set(thread, Math.max(reader.readIn.get(thread) ?? 0, index + 1));
  }

  async #changeRules(reader: ModelReader): Promise<void> {
    const edit = this.#pick(this.#membersChange ? ruleEdits : [...ruleEdits, ...memberCountEdits]);
    const changed = edit(reader.rules, defaultPushRules(reader.user.userId), reader.user.userId, this.#roomId);
    await this.#test.editPushRules(reader.user, () => changed);
    reader.rules = changed;
    // Clients count again themselves; the server tells its counts with the next event.
    reader.told = undefined;
  }

  async #join(reader: ModelReader): Promise<void> {
    await this.#test.rooms.joinRoom(reader.user, { roomId: this.#roomId });
    reader.isJoined = true;
    await this.#memberEvent(reader.user.userId);
    reader.read = this.#events.length;
  }

  async #leave(reader: ModelReader): Promise<void> {
    if (reader.user === this.#creator) return;
    await this.#test.rooms.leaveRoom(reader.user, { roomId: this.#roomId });
    reader.isJoined = false;
    reader.told = undefined;
    await this.#memberEvent(reader.user.userId);
  }

  async #memberEvent(userId: UserId): Promise<void> {
    const { event_id: eventId } = await this.#test.rooms.stateEvent(
      this.#creator,
      this.#roomId,
      'm.room.member',
      userId,
      'event',
    );
    await this.#happened(eventId as EventId);
  }

  /** What a client knows is what counting gives, whether it was told just now or did not have to be. */
  async #sync(reader: ModelReader): Promise<void> {
    const answer = await this.#test.syncOnce(reader.user, reader.since, { filter: filterOf(reader.byThread) });
    const isFirst = reader.since === undefined;
    reader.since = answer.next_batch;
    const room = answer.rooms?.join?.[this.#roomId];
    if (room !== undefined) reader.told = countsIn(room);
    if (!reader.isJoined) reader.told = undefined;
    else if (isFirst) assert.isDefined(room);
    if (reader.told !== undefined) {
      const counted = this.#counted(reader, reader.byThread);
      assert.deepEqual(reader.told, counted, `${reader.user.userId} told`);
    }
  }

  #pick<T>(list: readonly T[]): T {
    const picked = list[this.#random.int(list.length)];
    if (picked === undefined && list.length === 0) throw new Error('nothing to choose from');
    return picked as T;
  }
}

const filterOf = (byThread: boolean): JsonObject => ({
  room: { timeline: { limit: 1, unread_thread_notifications: byThread } },
});

const countsIn = (room: JoinedRoom | undefined): RoomCounts | undefined =>
  room && { main: room.unread_notifications, ...room.unread_thread_notifications };

async function assertRefused(sent: Promise<void>): Promise<void> {
  const outcome = await sent.then(
    () => 'accepted',
    (error: unknown) => (error instanceof MatrixError ? error.errcode : error),
  );
  assert.equal(outcome, 'M_INVALID_PARAM');
}

function rulesetOf(reader: ModelReader): PushRuleset {
  return mergePushRules(reader.rules, defaultPushRules(reader.user.userId));
}

/** As JSON has it: keys without a value are not there. */
function definedOnly(content: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(content)) as JsonObject;
}

async function countAtRandom(engine: TestEngine, seed: number, steps: number): Promise<void> {
  const random = seededRandom(`unread ${seed}`);
  const test = new TestRooms(await engine.open(), testPorts(seed), {
    sync: { idleUsersMax: random.int(4), tailsMax: 1 + random.int(2) },
  });
  const readers: ModelReader[] = [];
  for (let i = 0; i < 4; i++) {
    const user = await test.user(`u${i}`);
    const byThread = random.int(2) === 0;
    readers.push({
      user,
      isJoined: false,
      read: 0,
      readIn: new Map(),
      byThread,
      rules: unchangedPushRules,
      since: undefined,
      told: undefined,
    });
  }
  const [creator] = readers as [ModelReader];
  const levels = { events: { 'm.room.topic': 0, 'm.room.tombstone': 0 } };
  const roomId = await test.createRoom(creator.user, { roomVersion: '12', powerLevelContentOverride: levels });
  const room = new CountingRoom(random, test, roomId, readers);
  await room.begin();
  // Elsewhere things happen, too.
  const other = await test.createRoom(creator.user);
  const history: string[] = [];
  for (let i = 0; i < steps; i++) {
    history.push(await room.step());
    if (i % 10 === 0) await test.say(creator.user, other, `noise ${i}`);
    if (i % 15 === 14 || i === steps - 1)
      await room.check().catch((error: unknown) => {
        throw new Error(`seed ${seed}, after ${i} steps: ${history.slice(-20).join(', ')}`, { cause: error });
      });
  }
}

describe('unread counts are what counting event by event gives', () => {
  onSqlite('SQLite', (engine) => {
    it.each(Array.from({ length: 12 }, (_, index) => index + 1))('seed %i', async (seed) => {
      await countAtRandom(engine, seed, 120);
    });
  });
  onPostgres('PostgreSQL', (engine) => {
    it.each([101, 102])('seed %i', async (seed) => {
      await countAtRandom(engine, seed, 120);
    });
  });
});
