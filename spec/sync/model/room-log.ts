/**
 * Everything that happened in one room, and what a reader may know of it at a position: worked out from the events alone,
 * without any of the server's means.
 */
import { type Relation, relationOf, threadRootOf } from '../../../src/matrix/events/relations.ts';
import type { RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { EventId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';

export interface LoggedEvent {
  readonly eventId: EventId;
  readonly pos: number;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: UserId;
  readonly content: JsonObject;
  readonly redacts: EventId | undefined;
  readonly event: RoomEvent;
  /** The thread root's event id, or 'main'. */
  readonly thread: string;
  /** Whether it has one still. */
  hasUrl: boolean;
}

/** How a user stands to the room. */
export interface Standing {
  readonly membership: string;
  readonly pos: number;
  readonly isForgotten: boolean;
}

/** type and state key → event */
export type ModelState = ReadonlyMap<string, LoggedEvent>;
export type Passes = (event: LoggedEvent) => boolean;

export const keyOf = (type: string, stateKey: string): string => `${type}|${stateKey}`;

export class RoomLog {
  /** In the order of positions. */
  readonly events: LoggedEvent[] = [];
  readonly #byId = new Map<EventId, LoggedEvent>();
  readonly #byKey = new Map<string, LoggedEvent[]>();
  readonly #relations = new Map<EventId, Relation>();
  readonly #redactedAt = new Map<EventId, number>();
  readonly #forgotten = new Map<UserId, readonly number[]>();

  add(event: RoomEvent, pos: number): void {
    const { eventId, type, stateKey, sender, content, redacts } = event;
    const thread = threadRootOf(event, (id) => this.#relations.get(id)) ?? 'main';
    const logged: LoggedEvent = {
      eventId,
      pos,
      type,
      stateKey,
      sender,
      content,
      redacts,
      event,
      thread,
      hasUrl: content['url'] !== undefined,
    };
    this.events.push(logged);
    this.#byId.set(eventId, logged);
    if (stateKey !== undefined) {
      const key = keyOf(type, stateKey);
      this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), logged]);
    }
    const relation = relationOf(event);
    if (relation !== undefined) this.#relations.set(eventId, relation);
    if (redacts === undefined) return;
    this.#relations.delete(redacts);
    const redacted = this.#byId.get(redacts);
    if (redacted !== undefined) redacted.hasUrl = false;
    if (!this.#redactedAt.has(redacts)) this.#redactedAt.set(redacts, pos);
  }

  find(eventId: EventId): LoggedEvent | undefined {
    return this.#byId.get(eventId);
  }

  stateAt(pos: number): ModelState {
    const state = new Map<string, LoggedEvent>();
    for (const key of this.#byKey.keys()) {
      const event = this.#valueAt(key, pos);
      if (event !== undefined) state.set(key, event);
    }
    return state;
  }

  #valueAt(key: string, pos: number): LoggedEvent | undefined {
    return this.#byKey.get(key)?.findLast((event) => event.pos <= pos);
  }

  membershipAt(userId: UserId, pos: number): string | undefined {
    const membership = this.#valueAt(keyOf('m.room.member', userId), pos)?.content['membership'];
    return typeof membership === 'string' ? membership : undefined;
  }

  /**
   * Since when the membership is what it is; a second invite or knock is a new one. Of a room that was forgotten it stays what
   * it was then, whatever becomes of the membership, until the user joins, knocks or is invited again.
   */
  standingAt(userId: UserId, pos: number): Standing | undefined {
    const forgottenAt = this.#forgotten.get(userId) ?? [];
    let standing: Standing | undefined;
    let before = 0;
    for (const event of this.#memberEvents(userId, pos)) {
      const [from, membership] = [before, String(event.content['membership'])];
      const isOut = membership === 'leave' || membership === 'ban';
      const isForgotten =
        isOut &&
        standing !== undefined &&
        (standing.isForgotten || forgottenAt.some((at) => at >= from && at < event.pos));
      if (isForgotten && standing !== undefined) standing = { ...standing, membership, isForgotten };
      else if (membership !== standing?.membership || membership === 'invite' || membership === 'knock')
        standing = { membership, pos: event.pos, isForgotten: false };
      before = event.pos;
    }
    return standing && { ...standing, isForgotten: standing.isForgotten || forgottenAt.some((at) => at >= before) };
  }

  /** The user forgets the room now. */
  forget(userId: UserId): void {
    const positions = this.#forgotten.get(userId) ?? [];
    this.#forgotten.set(userId, [...positions, this.events.at(-1)?.pos ?? 0]);
  }

  /** Where the user's membership changed. */
  movesOf(userId: UserId, until: number): number[] {
    return this.#memberEvents(userId, until).map((event) => event.pos);
  }

  /** The end of the last stay that was over by a position. */
  lastDepartureAt(userId: UserId, pos: number): number | undefined {
    let departure: number | undefined;
    let isJoined = false;
    for (const event of this.#memberEvents(userId, pos)) {
      const joins = event.content['membership'] === 'join';
      if (isJoined && !joins) departure = event.pos;
      isJoined = joins;
    }
    return departure;
  }

  /** https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-5, word by word. */
  maySee(userId: UserId, event: LoggedEvent, now: number): boolean {
    const moments = [event.pos - 1, event.pos];
    return moments.some((visibleAt) =>
      moments.some((memberAt) => this.#allows(userId, event, visibleAt, memberAt, now)),
    );
  }

  #allows(userId: UserId, event: LoggedEvent, visibleAt: number, memberAt: number, now: number): boolean {
    const set = this.#valueAt(keyOf('m.room.history_visibility', ''), visibleAt)?.content['history_visibility'];
    const visibility = ['world_readable', 'shared', 'invited', 'joined'].find((value) => value === set) ?? 'shared';
    const membership = this.membershipAt(userId, memberAt);
    if (visibility === 'world_readable' || membership === 'join') return true;
    const joinsLater = this.#memberEvents(userId, now).some(
      (later) => later.pos > event.pos && later.content['membership'] === 'join',
    );
    if (visibility === 'shared') return joinsLater;
    return visibility === 'invited' && membership === 'invite';
  }

  /**
   * The end of (since, until], oldest first: at most `limit` events that pass, and none before one that the reader may not
   * see.
   */
  timeline(
    userId: UserId,
    { since, until, limit, passes }: TimelineRange,
  ): { readonly events: readonly LoggedEvent[]; readonly limited: boolean } {
    const events: LoggedEvent[] = [];
    for (const event of this.events.toReversed()) {
      if (event.pos > until) continue;
      if (event.pos <= since) break;
      const isVisible = this.maySee(userId, event, until);
      if (isVisible && !passes(event)) continue;
      if (isVisible ? events.length === limit : events.length > 0)
        return { events: events.toReversed(), limited: true };
      if (isVisible) events.push(event);
    }
    return { events: events.toReversed(), limited: false };
  }

  ownEventAt(userId: UserId, pos: number): LoggedEvent | undefined {
    return this.#memberEvents(userId, pos).at(-1);
  }

  /** The position of the redaction that took the content away; undefined: none did. */
  redactedAt(eventId: EventId): number | undefined {
    return this.#redactedAt.get(eventId);
  }

  #memberEvents(userId: UserId, pos: number): LoggedEvent[] {
    return (this.#byKey.get(keyOf('m.room.member', userId)) ?? []).filter((event) => event.pos <= pos);
  }
}

export interface TimelineRange {
  readonly since: number;
  readonly until: number;
  readonly limit: number;
  readonly passes: Passes;
}
