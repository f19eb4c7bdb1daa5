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

  add(event: RoomEvent, pos: number): void {
    const { eventId, type, stateKey, sender, content, redacts } = event;
    const thread = threadRootOf(event, (id) => this.#relations.get(id)) ?? 'main';
    const logged: LoggedEvent = { eventId, pos, type, stateKey, sender, content, redacts, event, thread };
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

  /** Since when the membership is what it is; a second invite or knock is a new one. */
  standingAt(userId: UserId, pos: number): { readonly membership: string; readonly pos: number } | undefined {
    let standing: { membership: string; pos: number } | undefined;
    for (const event of this.#memberEvents(userId, pos)) {
      const membership = String(event.content['membership']);
      if (membership !== standing?.membership || membership === 'invite' || membership === 'knock')
        standing = { membership, pos: event.pos };
    }
    return standing;
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
