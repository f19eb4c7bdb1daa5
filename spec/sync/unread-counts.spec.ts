/** Unread counts against counting event by event, over random rooms. */
import { assert, describe, it } from 'vitest';
import { compilePushRules } from '../../src/matrix/push-rules/compile-push-rules.ts';
import { defaultPushRules } from '../../src/matrix/push-rules/default-push-rules.ts';
import {
  addPushRule,
  deletePushRule,
  setPushRuleActions,
  setPushRuleEnabled,
} from '../../src/matrix/push-rules/edit-push-rules.ts';
import { senderMayNotify } from '../../src/matrix/push-rules/push-context.ts';
import { pushEventOf } from '../../src/matrix/push-rules/push-event.ts';
import type { PushRuleset } from '../../src/matrix/push-rules/push-rule.ts';
import { type UserPushRules, mergePushRules, unchangedPushRules } from '../../src/matrix/push-rules/user-push-rules.ts';
import type { RoomEvent } from '../../src/matrix/events/room-event.ts';
import type { EventId, RoomId, UserId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { Random } from '../../src/platform/ports.ts';
import { type TestEngine, onPostgres, onSqlite } from '../support/databases.ts';
import { seededRandom, testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

interface Counts {
  readonly notification_count: number;
  readonly highlight_count: number;
}
interface ModelReader {
  readonly user: TestUser;
  isJoined: boolean;
  /** How many events of the room are read. */
  read: number;
  rules: UserPushRules;
  since: string | undefined;
  /** What the client was told last; undefined: nothing that still has to hold. */
  told: Counts | undefined;
}

class CountingRoom {
  readonly #random: Random;
  readonly #test: TestRooms;
  readonly #roomId: RoomId;
  readonly #readers: readonly ModelReader[];
  /** The timeline, with what was redacted left out. */
  readonly #events: (RoomEvent | 'redacted')[] = [];
  readonly #ids: EventId[] = [];
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
      const room = (await this.#test.syncOnce(reader.user)).rooms?.join?.[this.#roomId];
      assert.deepEqual(room?.unread_notifications, this.#counted(reader), reader.user.userId);
      await this.#sync(reader);
    }
  }

  #counted(reader: ModelReader): Counts {
    const rules = compilePushRules(rulesetOf(reader));
    const { userId, profile } = reader.user;
    const displayName = typeof profile['displayname'] === 'string' ? profile['displayname'] : undefined;
    const memberCount = this.#readers.filter((other) => other.isJoined).length;
    let [notifications, highlights] = [0, 0];
    for (const event of this.#events.slice(reader.read)) {
      if (event === 'redacted' || event.sender === userId) continue;
      const level = event.sender === this.#creator.userId ? Infinity : 0;
      const room = { memberCount, senderMayNotify: (key: string) => senderMayNotify(key, level, undefined) };
      const outcome = rules.evaluate(pushEventOf(event), room, { userId, displayName });
      if (outcome.notify) notifications++;
      if (outcome.highlight) highlights++;
    }
    return { notification_count: notifications, highlight_count: highlights };
  }

  async #happened(eventId: EventId): Promise<void> {
    this.#ids.push(eventId);
    this.#events.push(await this.#test.storedEvent(eventId));
  }

  async #send(reader: ModelReader): Promise<void> {
    const others = this.#readers.filter(() => this.#random.int(3) === 0).map((other) => other.user.userId);
    const contents: readonly (readonly [string, JsonObject])[] = [
      ['m.room.message', { msgtype: 'm.text', body: 'hello bob and anchovies' }],
      ['m.room.message', { msgtype: 'm.text', body: 'hi', 'm.mentions': { user_ids: others } }],
      ['m.room.message', { msgtype: 'm.notice', body: 'a notice', 'm.mentions': { user_ids: others } }],
      ['m.room.message', { msgtype: 'm.text', body: '@room', 'm.mentions': { room: true, user_ids: others } }],
      ['m.room.message', { body: 'edit', 'm.relates_to': { rel_type: 'm.replace', event_id: this.#ids.at(-1) } }],
      ['m.room.message', { body: 'reply', 'm.relates_to': { rel_type: 'm.thread', event_id: this.#ids.at(-1) } }],
      ['m.room.encrypted', { ciphertext: 'x', 'm.mentions': { user_ids: others } }],
      ['m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: this.#ids.at(-1), key: '+' } }],
      ['m.call.invite', {}],
      ['org.example', { 'm.mentions': { user_ids: others, room: true } }],
    ];
    const [type, content] = this.#pick(contents);
    const txnId = `txn ${++this.#txn}`;
    await this.#happened(
      await this.#test.rooms.sendMessage(reader.user, {
        roomId: this.#roomId,
        type,
        content: definedOnly(content),
        transaction: { deviceNid: reader.user.deviceNid, path: 'send', txnId },
      }),
    );
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
    await this.#happened(redaction);
    reader.read = this.#events.length;
  }

  async #receipt(reader: ModelReader): Promise<void> {
    const index = this.#random.int(this.#events.length);
    const eventId = this.#ids[index];
    if (eventId === undefined) return;
    const type = this.#pick(['m.read', 'm.read.private'] as const);
    const thread = this.#pick([undefined, undefined, 'main', eventId]);
    await this.#test.rooms.setReceipt(reader.user, this.#roomId, type, eventId, thread);
    if (thread !== eventId) reader.read = Math.max(reader.read, index + 1);
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
    const answer = await this.#test.syncOnce(reader.user, reader.since);
    const isFirst = reader.since === undefined;
    reader.since = answer.next_batch;
    const room = answer.rooms?.join?.[this.#roomId];
    if (room !== undefined) reader.told = room.unread_notifications;
    if (!reader.isJoined) reader.told = undefined;
    else if (isFirst) assert.isDefined(room);
    if (reader.told !== undefined) assert.deepEqual(reader.told, this.#counted(reader), reader.user.userId);
  }

  #pick<T>(list: readonly T[]): T {
    const picked = list[this.#random.int(list.length)];
    if (picked === undefined && list.length === 0) throw new Error('nothing to choose from');
    return picked as T;
  }
}

type RuleEdit = (user: UserPushRules, defaults: PushRuleset, userId: UserId, roomId: RoomId) => UserPushRules;
const ruleEdits: readonly RuleEdit[] = [
  () => unchangedPushRules,
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.master', true),
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.master', false),
  (user, defaults) => setPushRuleActions(user, defaults, 'underride', '.m.rule.message', []),
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.suppress_notices', false),
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.is_user_mention', false),
  (user, defaults) => setPushRuleActions(user, defaults, 'override', '.m.rule.reaction', ['notify']),
  (user, _defaults, _userId, roomId) => addPushRule(user, 'room', roomId, { actions: [] }),
  (user, _defaults, _userId, roomId) => addPushRule(user, 'room', roomId, { actions: ['notify'] }),
  (user) =>
    addPushRule(user, 'content', 'fish', { pattern: 'anchov*', actions: ['notify', { set_tweak: 'highlight' }] }),
  (user) => (user.own.content === undefined ? user : deletePushRule(user, 'content', 'fish')),
  (user, _defaults, userId) => addPushRule(user, 'sender', userId.replace(/^@\w+/, '@u1'), { actions: [] }),
];
const memberCountEdits: readonly RuleEdit[] = [
  (user, defaults) => setPushRuleActions(user, defaults, 'underride', '.m.rule.room_one_to_one', []),
  (user) =>
    addPushRule(user, 'override', 'two', {
      conditions: [{ kind: 'room_member_count', is: '<3' }],
      actions: ['notify'],
    }),
  (user) =>
    addPushRule(user, 'override', 'four', {
      conditions: [{ kind: 'room_member_count', is: '4' }],
      actions: ['notify', { set_tweak: 'highlight' }],
    }),
];

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
    readers.push({ user, isJoined: false, read: 0, rules: unchangedPushRules, since: undefined, told: undefined });
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
