/** A client that keeps what it was told, and holds every answer against what it must have been. */
import assert from 'node:assert/strict';
import type { EventId, RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { type ModelClientOptions, isFiltered, passesOf } from './client-filter.ts';
import type { CountsByThread, RoomCounter } from './room-counter.ts';
import type { ClientEvent, JoinedRoom, SyncAnswer, TestUser } from '../../support/test-rooms.ts';
import { type LoggedEvent, type ModelState, type RoomLog, keyOf } from './room-log.ts';

/** What is true of the rooms beside their events, as of now. */
export interface Truth {
  readonly logs: ReadonlyMap<RoomId, RoomLog>;
  readonly counters: ReadonlyMap<RoomId, RoomCounter>;
  /** room → user, type and thread → event */
  readonly receipts: ReadonlyMap<RoomId, ReadonlyMap<string, EventId>>;
  readonly typing: ReadonlyMap<RoomId, ReadonlySet<UserId>>;
  /** user, room ('' for none) and type → content */
  readonly accountData: ReadonlyMap<string, JsonObject>;
}

interface KnownRoom {
  state: Map<string, EventId>;
  readonly receipts: Map<string, EventId>;
  typing: ReadonlySet<string>;
  /** Whether typing was told by the server process that runs now. */
  typingIsFresh: boolean;
  readonly accountData: Map<string, JsonObject>;
  counts: CountsByThread | undefined;
}

export class ModelClient {
  readonly user: TestUser;
  readonly options: ModelClientOptions;
  since: string | undefined;
  readonly rooms = new Map<RoomId, KnownRoom>();
  readonly #globalData = new Map<string, JsonObject>();

  constructor(user: TestUser, options: ModelClientOptions) {
    this.user = user;
    this.options = options;
  }

  /** Begins anew, as after clearing its cache. */
  forget(): void {
    this.since = undefined;
    this.rooms.clear();
    this.#globalData.clear();
  }

  serverRestarted(): void {
    for (const room of this.rooms.values()) room.typingIsFresh = false;
  }

  /** `answer` was the response to a request with `this.since`. */
  take(answer: SyncAnswer, truth: Truth): void {
    const [since, now] = [this.since === undefined ? -1 : posOf(this.since), posOf(answer.next_batch)];
    assert.ok(now >= since, 'tokens go forwards');
    for (const [roomId, log] of truth.logs) this.#takeRoom(roomId, log, since, now, answer);
    for (const { type, content } of answer.account_data?.events ?? []) this.#globalData.set(type, content);
    this.since = answer.next_batch;
  }

  /** Nothing happened since the last answer: the client knows everything. */
  assertComplete(truth: Truth): void {
    for (const [roomId, room] of this.rooms) {
      // What the filter leaves out may be all that is new: then nothing is told, and the counts neither.
      if (!isFiltered(this.options))
        assert.deepEqual(
          sorted(new Map(Object.entries(room.counts ?? {}))),
          sorted(
            new Map(
              Object.entries(
                truth.counters.get(roomId)?.unread(this.user.userId, this.options.byThread === true) ?? {},
              ),
            ),
          ),
          `counts of ${roomId}`,
        );
      const receipts = [...(truth.receipts.get(roomId) ?? [])].filter(
        ([key]) => !key.includes('m.read.private') || key.startsWith(this.user.userId),
      );
      assert.deepEqual(sorted(room.receipts), sorted(new Map(receipts)), `receipts in ${roomId}`);
      const typing = truth.typing.get(roomId) ?? new Set();
      if (room.typingIsFresh || typing.size > 0)
        assert.deepEqual([...room.typing].toSorted(), [...typing].toSorted(), `typing in ${roomId}`);
      for (const [key, content] of truth.accountData) {
        const [userId, inRoom, type] = key.split('|');
        if (userId === this.user.userId && inRoom === roomId)
          assert.deepEqual(room.accountData.get(type ?? ''), content, `account data in ${roomId}`);
      }
    }
    for (const [key, content] of truth.accountData) {
      const [userId, inRoom, type] = key.split('|');
      if (userId === this.user.userId && inRoom === '')
        assert.deepEqual(this.#globalData.get(type ?? ''), content, 'account data');
    }
  }

  #takeRoom(roomId: RoomId, log: RoomLog, since: number, now: number, answer: SyncAnswer): void {
    const { userId } = this.user;
    const standing = log.standingAt(userId, now);
    const { join, invite, knock, leave } = answer.rooms ?? {};
    const told = { join: join?.[roomId], invite: invite?.[roomId], knock: knock?.[roomId], leave: leave?.[roomId] };
    const section = (['join', 'invite', 'knock'] as const).find((name) => name === standing?.membership) ?? 'leave';
    for (const name of ['join', 'invite', 'knock', 'leave'] as const)
      if (name !== section) assert.equal(told[name], undefined, `${roomId} is not told as ${name}`);
    if (standing === undefined) assert.equal(told.leave, undefined);
    else if (section === 'join') this.#takeJoined(roomId, log, since, now, standing.pos, told.join);
    else {
      this.rooms.delete(roomId);
      const isNews = standing.pos > since;
      // An invite or knock that was answered while the answer was made is left to the next one.
      const isOver = log.ownEventAt(userId, Infinity)?.pos !== standing.pos;
      if (section !== 'leave') {
        if (!isOver || told[section] !== undefined)
          assert.equal(told[section] !== undefined, isNews, `the ${section} to ${roomId}`);
      } else if ((since < 0 && this.options.includeLeave !== true) || !isNews)
        assert.equal(told.leave, undefined, `${roomId} was left before`);
      else this.#checkLeft(log, since, now, told.leave);
    }
  }

  #takeJoined(
    roomId: RoomId,
    log: RoomLog,
    since: number,
    now: number,
    joinedPos: number,
    told: JoinedRoom | undefined,
  ): void {
    const { userId } = this.user;
    const isNew = since < 0 || (joinedPos > since && log.membershipAt(userId, since) !== 'join');
    const { events, limited } = log.timeline(userId, {
      since: isNew ? -1 : since,
      until: now,
      limit: this.options.limit,
      passes: passesOf(this.options),
    });
    assert.deepEqual(
      idsOf(told?.timeline.events),
      events.map((event) => event.eventId),
      `timeline of ${roomId}`,
    );
    if (events.length > 0 || isNew) assert.ok(told, `${roomId} is told`);
    let room = this.rooms.get(roomId);
    if (isNew || room === undefined) {
      room = newRoom();
      this.rooms.set(roomId, room);
    }
    if (told !== undefined) {
      assert.equal(told.timeline.limited, limited || (isNew && since >= 0), `whether ${roomId} is limited`);
      this.#checkContents(log, now, told.timeline.events);
      this.#takeState(roomId, room, log, now, told, events[0]);
      takeEphemeral(room, told);
      for (const { type, content } of told.account_data.events) room.accountData.set(type, content);
      room.counts = { main: told.unread_notifications, ...told.unread_thread_notifications };
    }
    this.#assertState(roomId, room.state, log.stateAt(now), 'after the answer');
  }

  /** State before the timeline, then the timeline's own. */
  #takeState(
    roomId: RoomId,
    room: KnownRoom,
    log: RoomLog,
    now: number,
    told: JoinedRoom,
    first: LoggedEvent | undefined,
  ): void {
    if (this.options.stateAfter === true) {
      apply(room.state, told.state_after?.events);
      for (const event of told.timeline.events)
        if (this.options.lazy) this.#assertSenderKnown(room.state, log, event, now);
      return;
    }
    apply(room.state, told.state.events);
    if (isFiltered(this.options)) return apply(room.state, told.timeline.events);
    const before = log.stateAt(first === undefined ? now : first.pos - 1);
    this.#assertState(roomId, room.state, before, 'before the timeline');
    for (const event of told.timeline.events) {
      if (this.options.lazy && !isOwnMembership(event))
        this.#assertSenderKnown(room.state, log, event, (log.find(event.event_id)?.pos ?? 0) - 1);
      apply(room.state, [event]);
    }
  }

  #assertState(roomId: RoomId, known: ReadonlyMap<string, EventId>, actual: ModelState, when: string): void {
    const wanted = [...actual].map(([key, event]) => [key, event.eventId] as const);
    if (!this.options.lazy) {
      assert.deepEqual(sorted(known), sorted(new Map(wanted)), `state of ${roomId} ${when}`);
      return;
    }
    for (const [key, eventId] of wanted) {
      const knownId = known.get(key);
      // Of members loaded lazily some may be unknown, and none may be out of date.
      if (knownId !== undefined || !key.startsWith('m.room.member|'))
        assert.equal(knownId, eventId, `${key} in ${roomId} ${when}`);
    }
  }

  #assertSenderKnown(known: ReadonlyMap<string, EventId>, log: RoomLog, event: ClientEvent, pos: number): void {
    const member = log.stateAt(pos).get(keyOf('m.room.member', event.sender));
    assert.equal(
      known.get(keyOf('m.room.member', event.sender)),
      member?.eventId,
      `the member who sent ${event.event_id}`,
    );
  }

  /** Events are as they were sent, or redacted if that was so by then. */
  #checkContents(log: RoomLog, now: number, events: readonly ClientEvent[]): void {
    for (const event of events) {
      const logged = log.find(event.event_id);
      assert.ok(logged, `${event.event_id} exists`);
      const redactedAt = log.redactedAt(event.event_id);
      const isRedacted = event.unsigned?.['redacted_because'] !== undefined;
      if (redactedAt === undefined || redactedAt <= now) assert.equal(isRedacted, redactedAt !== undefined);
      if (isRedacted) assert.equal(event.content['body'], undefined, 'nothing is left of what was redacted');
      else assert.deepEqual(event.content, logged.content);
      const membership = log.membershipAt(this.user.userId, logged.pos) ?? 'leave';
      assert.equal(event.unsigned?.['membership'], membership, `the membership at ${event.event_id}`);
    }
  }

  /** Until the departure what could be seen, and then the reader's own event alone. */
  #checkLeft(
    log: RoomLog,
    since: number,
    now: number,
    told: Pick<JoinedRoom, 'timeline' | 'state' | 'state_after'> | undefined,
  ): void {
    assert.ok(told, 'a room that was left is told');
    const { userId } = this.user;
    const departure = log.lastDepartureAt(userId, now);
    const wasIn = since >= 0 && log.membershipAt(userId, since) === 'join';
    const passes = passesOf(this.options);
    const { limit } = this.options;
    const isSeen = departure !== undefined && departure > since;
    const range = { since: wasIn ? since : -1, until: departure ?? 0, limit, passes };
    const seen = isSeen ? log.timeline(userId, range).events : [];
    const newest = seen.map((event) => event.eventId);
    const own = log.ownEventAt(userId, now);
    if (own !== undefined && passes(own) && !newest.includes(own.eventId)) newest.push(own.eventId);
    const expected = newest.slice(Math.max(0, newest.length - limit));
    assert.deepEqual(idsOf(told.timeline.events), expected, 'the timeline of a room that was left');
    this.#checkContents(log, now, told.timeline.events);
    const state = this.options.stateAfter === true ? (told.state_after?.events ?? []) : told.state.events;
    for (const event of state) {
      const logged = log.find(event.event_id);
      const isOwn = this.options.stateAfter === true && logged === own;
      assert.ok(isOwn || (isSeen && logged !== undefined && logged.pos <= departure), 'no state of later than that');
    }
    if (this.options.stateAfter === true) assert.ok(idsOf(state).includes(own?.eventId ?? ('' as EventId)));
  }
}

export const posOf = (token: string): number => Number(token.slice(1));

const newRoom = (): KnownRoom => ({
  state: new Map(),
  receipts: new Map(),
  typing: new Set(),
  typingIsFresh: true,
  accountData: new Map(),
  counts: undefined,
});

const isOwnMembership = (event: ClientEvent): boolean =>
  event.type === 'm.room.member' && event.state_key === event.sender;

const idsOf = (events: readonly ClientEvent[] = []): EventId[] => events.map((event) => event.event_id);
const sorted = <T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));

function apply(state: Map<string, EventId>, events: readonly ClientEvent[] = []): void {
  for (const event of events)
    if (event.state_key !== undefined) state.set(keyOf(event.type, event.state_key), event.event_id);
}

function takeEphemeral(room: KnownRoom, told: JoinedRoom): void {
  for (const { type, content } of told.ephemeral.events) {
    if (type === 'm.typing') {
      room.typing = new Set(content['user_ids'] as string[]);
      room.typingIsFresh = true;
      continue;
    }
    const receipts = content as Record<EventId, Record<string, Record<UserId, { thread_id?: string }>>>;
    for (const [eventId, types] of Object.entries(receipts))
      for (const [kind, users] of Object.entries(types))
        for (const [userId, { thread_id: thread = '' }] of Object.entries(users))
          room.receipts.set(`${userId} ${kind} ${thread}`, eventId as EventId);
  }
}
