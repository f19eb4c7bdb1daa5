/** A client that keeps what it was told, and holds every answer against what it must have been. */
import assert from 'node:assert/strict';
import type { EventId, RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { ClientEvent, JoinedRoom, SyncAnswer, TestUser } from '../../support/test-rooms.ts';
import { type ModelClientOptions, isFiltered, passesOf, wantsRoom, wantsType } from './client-filter.ts';
import { KnownPresence } from './known-presence.ts';
import { type KnownRoom, assertReceipts, newRoom, takeEphemeral, userOfReceipt } from './known-room.ts';
import { assertState, sorted, takeState } from './known-state.ts';
import { KnownUserData, assertUserData } from './known-user-data.ts';
import { checkLeftRoom } from './left-room.ts';
import type { RoomLog } from './room-log.ts';
import type { Truth } from './truth.ts';

/** How an answer came about. */
export interface Asked {
  readonly fullState: boolean;
  /** Nothing happened while it was made. */
  readonly isQuiet: boolean;
}

/** One room in one answer. */
interface RoomNews extends Asked {
  readonly roomId: RoomId;
  readonly log: RoomLog;
  readonly since: number;
  readonly now: number;
  readonly truth: Truth;
  readonly ignored: ReadonlySet<UserId>;
}

export class ModelClient {
  readonly user: TestUser;
  readonly options: ModelClientOptions;
  since: string | undefined;
  readonly rooms = new Map<RoomId, KnownRoom>();
  readonly #data: KnownUserData;
  readonly #presence: KnownPresence;
  #ignored: ReadonlySet<UserId> = new Set();

  constructor(user: TestUser, options: ModelClientOptions) {
    this.user = user;
    this.options = options;
    this.#data = new KnownUserData(user, options);
    this.#presence = new KnownPresence(user.userId);
  }

  /** Begins anew, as after clearing its cache. */
  forget(): void {
    this.since = undefined;
    this.rooms.clear();
    this.#data.forget();
    this.#presence.forget();
  }

  /** `absent`: that those went before the restart is forgotten with it. */
  serverRestarted(absent: readonly UserId[]): void {
    for (const room of this.rooms.values()) room.typing = undefined;
    this.#presence.unsureOf(absent);
  }

  /** What the user is told of others, or how it counts, is another from now on. */
  changed(what: 'rules' | 'ignored', truth: Truth): void {
    for (const room of this.rooms.values()) room.counts = undefined;
    if (what === 'rules') return;
    const ignored = truth.ignoredBy(this.user.userId);
    const heard = this.#ignored.difference(ignored);
    this.#ignored = ignored;
    this.#presence.unsureOf(heard);
    for (const [roomId, room] of this.rooms) {
      room.typing = undefined;
      for (const [key, eventId] of truth.receipts.get(roomId) ?? [])
        if (heard.has(userOfReceipt(key))) room.missed.set(key, eventId);
    }
  }

  /** `answer` was the response to a request with `this.since`. */
  take(answer: SyncAnswer, truth: Truth, asked: Asked): void {
    const [since, now] = [this.since === undefined ? -1 : posOf(this.since), posOf(answer.next_batch)];
    assert.ok(now >= since, 'tokens go forwards');
    const ignored = truth.ignoredBy(this.user.userId);
    for (const [roomId, log] of truth.logs)
      this.#takeRoom({ ...asked, roomId, log, since, now, truth, ignored }, answer);
    this.#data.take(answer, since);
    this.#presence.take(answer, since, now, truth);
    this.since = answer.next_batch;
  }

  /** Nothing happened since the last answer: the client knows everything. */
  assertComplete(truth: Truth): void {
    const { userId } = this.user;
    const { ephemeral } = this.options;
    const ignored = truth.ignoredBy(userId);
    for (const [roomId, room] of this.rooms) {
      // What is left out may be all that is new: then nothing is told, and the counts neither.
      if (!isFiltered(this.options) && ignored.size === 0 && room.counts !== undefined)
        this.#assertCounts(roomId, room, truth);
      if (wantsType(ephemeral, 'm.receipt'))
        assertReceipts(room, truth.receipts.get(roomId) ?? new Map<string, EventId>(), userId, ignored);
      const typing = [...(truth.typing.get(roomId)?.keys() ?? [])].filter((id) => !ignored.has(id));
      if (wantsType(ephemeral, 'm.typing') && room.typing !== undefined)
        assert.deepEqual([...room.typing].toSorted(), typing.toSorted(), `typing in ${roomId}`);
      assertUserData(truth, userId, roomId, room.accountData, this.options.accountData);
    }
    this.#data.assertComplete(truth);
    this.#presence.assertComplete(truth, posOf(this.since ?? 's0'));
  }

  #takeRoom(news: RoomNews, answer: SyncAnswer): void {
    const { roomId, log, now } = news;
    const { userId } = this.user;
    const { join, invite, knock, leave } = answer.rooms ?? {};
    const told = { join: join?.[roomId], invite: invite?.[roomId], knock: knock?.[roomId], leave: leave?.[roomId] };
    const standing = log.standingAt(userId, now);
    const isWanted = standing !== undefined && wantsRoom(this.options.room, roomId);
    const section = isWanted ? this.#sectionOf(news, standing.membership) : undefined;
    for (const name of ['join', 'invite', 'knock', 'leave'] as const)
      if (name !== section) assert.equal(told[name], undefined, `${roomId} is not told as ${name}`);
    if (!isWanted) return;
    if (section === 'join') return this.#takeJoined(news, standing.pos, told.join);
    const known = this.rooms.get(roomId);
    this.rooms.delete(roomId);
    const isNews = standing.pos > news.since;
    if (section === 'leave') {
      const isArchive = news.since < 0 && (standing.isForgotten || this.options.includeLeave !== true);
      if (!isNews || isArchive) return assert.equal(told.leave, undefined, `${roomId} was left before`);
      const own = log.ownEventAt(userId, this.#isOut(news) ? now : (log.lastDepartureAt(userId, now) ?? now));
      this.#checkContents(news, told.leave?.timeline.events);
      const { options } = this;
      checkLeftRoom({ ...news, options, userId, own, standing, told: told.leave, known: known?.state });
    } else if (section !== undefined) {
      // An invite or knock that was answered while the answer was made is left to the next one.
      const isOver = log.ownEventAt(userId, Infinity)?.pos !== standing.pos;
      const isTold = told[section] !== undefined;
      if (!isOver || isTold) assert.equal(isTold, isNews || news.fullState, `the ${section} to ${roomId}`);
    }
  }

  #isOut({ log, now }: RoomNews): boolean {
    const membership = log.membershipAt(this.user.userId, now);
    return membership === 'leave' || membership === 'ban';
  }

  /** undefined: invites of those who are ignored, and their ends, are not told; that a room was left before is. */
  #sectionOf(
    { log, since, now, ignored }: RoomNews,
    membership: string,
  ): 'join' | 'invite' | 'knock' | 'leave' | undefined {
    const { userId } = this.user;
    if (membership === 'join' || membership === 'knock') return membership;
    const sender = log.ownEventAt(userId, now)?.sender ?? userId;
    const isFromIgnored = sender !== userId && ignored.has(sender);
    if (membership === 'invite') {
      const wasIn = since >= 0 && log.membershipAt(userId, since) === 'join';
      return isFromIgnored ? (wasIn ? 'leave' : undefined) : 'invite';
    }
    return isFromIgnored && log.lastDepartureAt(userId, now) === undefined ? undefined : 'leave';
  }

  #takeJoined(news: RoomNews, joinedPos: number, told: JoinedRoom | undefined): void {
    const { roomId, log, since, now, ignored, fullState } = news;
    const { user, options } = this;
    const { userId } = user;
    const isNew = since < 0 || (joinedPos > since && log.membershipAt(userId, since) !== 'join');
    const passes = passesOf(options, ignored);
    const range = { since: isNew ? -1 : since, until: now, limit: options.limit, passes };
    const { events, limited } = wantsRoom(options.timeline, roomId) ? log.timeline(userId, range) : nothing;
    const ids = events.map((event) => event.eventId);
    assert.deepEqual(told?.timeline.events.map((event) => event.event_id) ?? [], ids, `timeline of ${roomId}`);
    if (events.length > 0 || isNew || fullState) assert.ok(told, `${roomId} is told`);
    const known = this.rooms.get(roomId);
    const room = isNew || known === undefined ? newRoom() : known;
    this.rooms.set(roomId, room);
    if (told === undefined) return assertState(room.state, { options, roomId }, log.stateAt(now), 'as it was');
    assert.equal(told.timeline.limited, limited || (isNew && since >= 0), `whether ${roomId} is limited`);
    this.#checkContents(news, told.timeline.events);
    takeState(room.state, { ...news, options, since: isNew || fullState ? -1 : since, told, first: events[0] });
    takeEphemeral(room, told, options, ignored);
    for (const { type, content } of told.account_data.events) {
      assert.ok(wantsType(options.accountData, type), `${type} is wanted`);
      room.accountData.set(type, content);
    }
    room.counts = { main: told.unread_notifications, ...told.unread_thread_notifications };
    if (news.isQuiet) this.#assertCounts(roomId, room, news.truth);
  }

  #assertCounts(roomId: RoomId, { counts = {} }: KnownRoom, truth: Truth): void {
    const unread = truth.unread(roomId, this.user.userId, this.options.byThread === true);
    const of = (each: object) => sorted(new Map(Object.entries(each)));
    assert.deepEqual(of(counts), of(unread), `counts of ${roomId}`);
  }

  /** Events are as they were sent, or redacted if that was so by then. */
  #checkContents({ log, now }: RoomNews, events: readonly ClientEvent[] = []): void {
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
}

export const posOf = (token: string): number => Number(token.slice(1).split('.')[0]);

const nothing = { events: [], limited: false } as const;
