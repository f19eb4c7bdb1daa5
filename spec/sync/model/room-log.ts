/**
 * Everything that happened in one room, and what a reader may know of it at a position: worked out from the events alone,
 * slowly and without any of the server's means.
 */
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
}

/** type and state key → event */
export type ModelState = ReadonlyMap<string, LoggedEvent>;

export const keyOf = (type: string, stateKey: string): string => `${type}|${stateKey}`;

export class RoomLog {
  /** In the order of positions. */
  readonly events: LoggedEvent[] = [];

  stateAt(pos: number): ModelState {
    const state = new Map<string, LoggedEvent>();
    for (const event of this.events)
      if (event.pos <= pos && event.stateKey !== undefined) state.set(keyOf(event.type, event.stateKey), event);
    return state;
  }

  membershipAt(userId: UserId, pos: number): string | undefined {
    const membership = this.stateAt(pos).get(keyOf('m.room.member', userId))?.content['membership'];
    return typeof membership === 'string' ? membership : undefined;
  }

  /** Since when the membership is what it is; a second invite is a new one. */
  standingAt(userId: UserId, pos: number): { readonly membership: string; readonly pos: number } | undefined {
    let standing: { membership: string; pos: number } | undefined;
    for (const event of this.#memberEvents(userId, pos)) {
      const membership = String(event.content['membership']);
      if (membership !== standing?.membership || membership === 'invite') standing = { membership, pos: event.pos };
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
    const [before, after] = [this.stateAt(event.pos - 1), this.stateAt(event.pos)];
    return [before, after].some((state) =>
      [before, after].some((other) => this.#allows(userId, event, { visibilities: state, memberships: other, now })),
    );
  }

  #allows(
    userId: UserId,
    event: LoggedEvent,
    at: { readonly visibilities: ModelState; readonly memberships: ModelState; readonly now: number },
  ): boolean {
    const { visibilities, memberships, now } = at;
    const set = visibilities.get(keyOf('m.room.history_visibility', ''))?.content['history_visibility'];
    const visibility = ['world_readable', 'shared', 'invited', 'joined'].find((value) => value === set) ?? 'shared';
    const membership = memberships.get(keyOf('m.room.member', userId))?.content['membership'];
    if (visibility === 'world_readable' || membership === 'join') return true;
    const joinsLater = this.events.some(
      (later) =>
        later.pos > event.pos &&
        later.pos <= now &&
        isMembership(later, userId) &&
        later.content['membership'] === 'join',
    );
    if (visibility === 'shared') return joinsLater;
    return visibility === 'invited' && membership === 'invite';
  }

  /**
   * The end of (since, until], oldest first: at most `limit` events, and none before one that the reader may not see then.
   */
  timeline(
    userId: UserId,
    since: number,
    until: number,
    limit: number,
  ): { readonly events: readonly LoggedEvent[]; readonly limited: boolean } {
    const all = this.events.filter((event) => event.pos > since && event.pos <= until);
    const hole = all.findLastIndex((event) => !this.maySee(userId, event, until));
    const events = all.slice(Math.max(hole + 1, all.length - limit));
    return { events, limited: events.length < all.length };
  }

  ownEventAt(userId: UserId, pos: number): LoggedEvent | undefined {
    return this.#memberEvents(userId, pos).at(-1);
  }

  /** The position of the redaction that took the content away; undefined: none did. */
  redactedAt(eventId: EventId): number | undefined {
    return this.events.find((event) => event.redacts === eventId)?.pos;
  }

  #memberEvents(userId: UserId, pos: number): LoggedEvent[] {
    return this.events.filter((event) => event.pos <= pos && isMembership(event, userId));
  }
}

const isMembership = (event: LoggedEvent, userId: UserId): boolean =>
  event.type === 'm.room.member' && event.stateKey === userId;
