/** Users who do things at random in a few rooms, and what is true after each. */
import { MatrixError } from '../../../src/matrix/errors.ts';
import { roomEventFromPdu } from '../../../src/matrix/events/room-event-from-pdu.ts';
import type { EventId, RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { Random } from '../../../src/platform/ports.ts';
import { pduOf } from '../../../src/rooms/stored-event.ts';
import { timelineForwards } from '../../../src/storage/stores/timeline-store.ts';
import type { TestPorts } from '../../support/test-ports.ts';
import type { TestRooms, TestUser } from '../../support/test-rooms.ts';
import { ModelPresence, settledMs } from './model-presence.ts';
import { Truth } from './truth.ts';
import { UserActions } from './user-actions.ts';

type Action = (actor: TestUser, roomId: RoomId) => Promise<unknown>;
/** What nobody can put in order afterwards when it happens at once with other things. */
const alone = new Set(['type', 'redact', 'upgrade', 'forget', 'ignore', 'push rules', 'to device', 'presence', 'time']);
const roomsMax = 6;

export class ModelWorld {
  test: TestRooms;
  readonly users: readonly TestUser[];
  /** The same users on further devices, with which they only listen. */
  readonly otherDevices: readonly TestUser[];
  readonly truth: Truth;
  /** What was tried, for the message of a failure. */
  readonly history: string[] = [];
  actionCount = 0;
  /** Is told whose counts and contacts may be others without an answer that says so. */
  onChanged: (userId: UserId, what: 'rules' | 'ignored') => void = () => {};
  readonly #own: UserActions;
  readonly #ports: TestPorts;
  readonly #random: Random;
  readonly #actions: readonly (readonly [number, string, Action])[];
  #count = 0;

  constructor(random: Random, test: TestRooms, users: readonly TestUser[], ports: TestPorts) {
    this.#random = random;
    this.test = test;
    this.users = users;
    this.otherDevices = users.map((user, index) => ({ ...user, deviceNid: 1_000 + index }));
    this.#ports = ports;
    const nowMs = (): number => ports.clock.monotonicMs();
    const userIds = users.map((user) => user.userId);
    this.truth = new Truth(userIds, test.presence.isEnabled ? new ModelPresence(nowMs) : undefined);
    const own = new UserActions(random, this);
    this.#own = own;
    this.#actions = [
      [30, 'send', (actor, roomId) => this.#send(actor, roomId)],
      [6, 'state', (actor, roomId) => this.#state(actor, roomId)],
      [2, 'mention', (actor, roomId) => this.#mention(actor, roomId)],
      [6, 'thread', (actor, roomId) => this.#relate(actor, roomId, 'm.thread')],
      [3, 'edit', (actor, roomId) => this.#relate(actor, roomId, 'm.replace')],
      [4, 'react', (actor, roomId) => this.#relate(actor, roomId, 'm.annotation')],
      [2, 'refer', (actor, roomId) => this.#relate(actor, roomId, 'm.reference')],
      [2, 'join rule', (actor, roomId) => this.#joinRule(actor, roomId)],
      [1, 'upgrade', (_actor, roomId) => this.#upgrade(roomId)],
      [4, 'knock', (actor, roomId) => this.test.rooms.knockRoom(actor, { roomId })],
      [3, 'visibility', (actor, roomId) => this.#visibility(actor, roomId)],
      [8, 'join', (actor, roomId) => this.test.rooms.joinRoom(actor, { roomId })],
      [5, 'leave', (actor, roomId) => this.test.rooms.leaveRoom(actor, { roomId })],
      [5, 'invite', (actor, roomId) => this.#upon('inviteUser', actor, roomId)],
      [2, 'kick', (actor, roomId) => this.#upon('kickUser', actor, roomId)],
      [2, 'ban', (actor, roomId) => this.#upon('banUser', actor, roomId)],
      [3, 'unban', (actor, roomId) => this.#upon('unbanUser', actor, roomId)],
      [2, 'profile', (actor) => this.test.rooms.profileChanged(actor.userId, { displayname: this.#text('name') })],
      [4, 'redact', (actor, roomId) => this.#redact(actor, roomId)],
      [6, 'receipt', (actor, roomId) => this.#receipt(actor, roomId)],
      [6, 'threaded receipt', (actor, roomId) => this.#threadedReceipt(actor, roomId)],
      [4, 'type', (actor, roomId) => this.#type(actor, roomId)],
      [4, 'account data', (actor, roomId) => own.accountData(actor, roomId)],
      [4, 'forget', (actor, roomId) => this.#forget(actor, roomId)],
      [2, 'ignore', (actor) => own.ignore(actor)],
      [2, 'push rules', (actor, roomId) => own.pushRules(actor, roomId)],
      [4, 'to device', (actor) => own.toDevice(actor)],
      [3, 'presence', (actor) => own.presence(actor)],
      [2, 'time', () => this.timePasses(this.#pick([settledMs, 12_000, 31_000, 310_000]))],
    ];
  }

  /** Three rooms, and devices to write to. */
  async begin(): Promise<void> {
    await this.#own.addDevices();
    for (const creator of this.users.slice(0, 3)) await this.#makeRoom(creator);
  }

  async #makeRoom(creator: TestUser): Promise<void> {
    const roomId = await this.test.createRoom(creator, {
      powerLevelContentOverride: {
        events: {
          'm.room.topic': 0,
          'm.room.name': 0,
          'm.room.history_visibility': 0,
          'm.room.join_rules': 0,
          'org.example': 0,
        },
        kick: 0,
        ban: 0,
        invite: 0,
      },
    });
    await this.#follow(roomId);
  }

  async #follow(roomId: RoomId): Promise<void> {
    this.truth.follow(roomId);
    await this.#log(roomId);
  }

  /** One thing that somebody tries, perhaps while others do; what the rules refuse does not happen. */
  async act({ among = 'one' }: { readonly among?: 'one' | 'many' } = {}): Promise<void> {
    const actor = this.#pick(this.users);
    const roomId = this.#pick([...this.truth.logs.keys()]);
    const actions = this.#actions.filter(([, action]) => among === 'one' || !alone.has(action));
    let at = this.#random.int(actions.reduce((sum, [weight]) => sum + weight, 0));
    const chosen = actions.find(([weight]) => (at -= weight) < 0);
    if (chosen === undefined) throw new Error('the weights do not add up');
    const [, name, run] = chosen;
    this.actionCount++;
    this.history.push(`${actor.userId} ${name}`);
    await run(actor, roomId).catch((error: unknown) => {
      if (!(error instanceof MatrixError)) throw error;
    });
    if (among === 'one') await this.settle();
  }

  /** To be called when everything that was begun is over. */
  async settle(): Promise<void> {
    await this.test.ctx.db.drained();
    for (const roomId of this.truth.logs.keys()) await this.#log(roomId);
  }

  /** Of whom others know that they are not there. */
  absent(): UserId[] {
    return this.truth.users.filter((userId) => this.truth.presence?.isToldThere(userId) !== true);
  }

  restarted(test: TestRooms): void {
    this.test = test;
    for (const typing of this.truth.typing.values()) typing.clear();
    this.truth.presence?.restarted();
  }

  /** With what comes of it; at least `settledMs`. */
  async timePasses(ms: number): Promise<void> {
    await this.#ports.advance(ms);
    await this.#ports.until(() => !this.test.presence.isTelling);
    await this.test.ctx.db.drained();
    await this.#ports.settle();
    const nowMs = this.#ports.clock.monotonicMs();
    for (const typing of this.truth.typing.values())
      for (const [userId, untilMs] of typing) if (untilMs <= nowMs) typing.delete(userId);
    this.truth.presence?.told(this.test.ctx.db.committedPos());
  }

  async #log(roomId: RoomId): Promise<void> {
    const { ctx } = this.test;
    const { room, rules } = await ctx.dags.open(roomId);
    const log = this.truth.logs.get(roomId);
    const after = (log?.events.at(-1)?.pos ?? 0) * 1024;
    const before = Number.MAX_SAFE_INTEGER;
    for (const row of await ctx.db.all(timelineForwards, { room, after, before, limit: 1_000 })) {
      const event = roomEventFromPdu(pduOf(row), rules, row.event_id as EventId);
      log?.add(event, row.pos ?? 0);
      const logged = log?.find(event.eventId);
      if (logged !== undefined) this.truth.counters.get(roomId)?.logged(logged);
      const { type, stateKey, sender, content } = event;
      // Only messages are sent with a transaction, which says on which device.
      const device = this.users.find(({ userId }) => userId === sender)?.deviceNid;
      this.truth.presence?.acted(sender, type === 'm.room.message' ? device : undefined);
      if (type === 'm.room.member' && content['membership'] !== 'join')
        this.truth.typing.get(roomId)?.delete(stateKey as UserId);
    }
  }

  #send(actor: TestUser, roomId: RoomId): Promise<unknown> {
    const [what, more] = this.#pick<readonly [string, JsonObject]>([
      ['message', {}],
      ['message', {}],
      ['anchovy', {}],
      ['notice', { msgtype: 'm.notice' }],
      ['picture', { msgtype: 'm.image', url: 'mxc://test/picture' }],
    ]);
    return this.test.say(actor, roomId, this.#text(what), more);
  }

  #mention(actor: TestUser, roomId: RoomId): Promise<unknown> {
    const named = this.users.filter(() => this.#random.int(5) === 0).map((user) => user.userId);
    return this.test.say(actor, roomId, this.#text('message'), { 'm.mentions': { user_ids: named } });
  }

  async #relate(actor: TestUser, roomId: RoomId, relType: string): Promise<void> {
    const events = this.truth.logs.get(roomId)?.events ?? [];
    // Threads with several events, and what relates to events in them.
    const recent = events.slice(-12);
    const { eventId } = this.#pick(this.#random.int(3) === 0 ? events : recent);
    const relation = { rel_type: relType, event_id: eventId };
    if (relType === 'm.annotation') {
      const content = { 'm.relates_to': { ...relation, key: this.#pick(['+1', '-1']) } };
      await this.test.rooms.sendMessage(actor, { roomId, type: 'm.reaction', content });
    } else await this.test.say(actor, roomId, this.#text('relating message'), { 'm.relates_to': relation });
  }

  async #upgrade(roomId: RoomId): Promise<void> {
    const createdBy = this.truth.logs.get(roomId)?.events[0]?.sender;
    const creator = this.users.find((user) => user.userId === createdBy);
    if (creator === undefined || this.truth.logs.size >= roomsMax) return;
    const request = { roomId, rules: this.test.rooms.roomVersion('12'), additionalCreators: [] };
    const replacement = await this.test.rooms.upgradeRoom(creator, request);
    if (!this.truth.logs.has(replacement)) await this.#follow(replacement);
  }

  #joinRule(actor: TestUser, roomId: RoomId): Promise<unknown> {
    const join_rule = this.#pick(['public', 'public', 'public', 'invite', 'knock', 'knock']);
    return this.test.setState(actor, roomId, 'm.room.join_rules', { join_rule });
  }

  #state(actor: TestUser, roomId: RoomId): Promise<unknown> {
    const [type, field] = this.#pick([
      ['m.room.topic', 'topic'],
      ['m.room.name', 'name'],
      ['org.example', 'body'],
      ['org.example', 'url'],
    ] as const);
    const stateKey = type === 'org.example' ? this.#pick(['', 'a', 'b']) : '';
    return this.test.setState(actor, roomId, type, { [field]: this.#text('state') }, stateKey);
  }

  #visibility(actor: TestUser, roomId: RoomId): Promise<unknown> {
    const value = this.#pick(['world_readable', 'shared', 'invited', 'joined']);
    return this.test.setState(actor, roomId, 'm.room.history_visibility', { history_visibility: value });
  }

  #upon(
    change: 'inviteUser' | 'kickUser' | 'banUser' | 'unbanUser',
    actor: TestUser,
    roomId: RoomId,
  ): Promise<unknown> {
    return this.test.rooms[change](actor, { roomId, target: this.#pick(this.users).userId });
  }

  async #redact(actor: TestUser, roomId: RoomId): Promise<void> {
    // Memberships and power levels keep what counts; a visibility would become another one.
    const messages = this.truth.logs.get(roomId)?.events.filter((event) => event.content['body'] !== undefined) ?? [];
    if (messages.length === 0) return;
    const { eventId } = this.#pick(messages);
    await this.test.rooms.redactEvent(actor, { roomId, eventId, content: {} });
  }

  async #receipt(actor: TestUser, roomId: RoomId): Promise<void> {
    const events = this.truth.logs.get(roomId)?.events ?? [];
    await this.#read(actor, roomId, this.#random.int(events.length), undefined);
  }

  async #threadedReceipt(actor: TestUser, roomId: RoomId): Promise<void> {
    const events = this.truth.logs.get(roomId)?.events ?? [];
    const index = this.#random.int(events.length);
    const own = events[index]?.thread;
    await this.#read(actor, roomId, index, this.#pick([own, own, own, 'main', this.#pick(events).eventId]));
  }

  async #read(actor: TestUser, roomId: RoomId, index: number, thread: string | undefined): Promise<void> {
    const events = this.truth.logs.get(roomId)?.events ?? [];
    const event = events[index];
    if (event === undefined) return;
    const { eventId, pos } = event;
    const type = this.#pick(['m.read', 'm.read', 'm.read.private'] as const);
    await this.test.rooms.setReceipt(actor, roomId, type, eventId, thread);
    const receipts = this.truth.receipts.get(roomId);
    const key = `${actor.userId} ${type} ${thread ?? ''}`;
    this.truth.counters.get(roomId)?.readUpTo(actor.userId, pos, thread);
    const current = events.findIndex((event) => event.eventId === receipts?.get(key));
    if (index <= current) return;
    receipts?.set(key, eventId);
    this.truth.presence?.acted(actor.userId, undefined);
  }

  async #type(actor: TestUser, roomId: RoomId): Promise<void> {
    const types = this.#random.int(3) > 0;
    await this.test.rooms.setTyping(actor, roomId, types ? 30_000 : undefined);
    const typing = this.truth.typing.get(roomId);
    if (types) typing?.set(actor.userId, this.#ports.clock.monotonicMs() + 30_000);
    else typing?.delete(actor.userId);
  }

  async #forget(actor: TestUser, roomId: RoomId): Promise<void> {
    await this.test.rooms.forgetRoom(actor, roomId);
    this.truth.logs.get(roomId)?.forget(actor.userId);
  }

  #text(what: string): string {
    return `${what} ${++this.#count}`;
  }

  #pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to choose from');
    return list[this.#random.int(list.length)] as T;
  }
}
