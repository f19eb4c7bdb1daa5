/**
 * Whether a user may see an event. https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-5
 *
 * The answer depends on how two state keys of the room changed over time: its history visibility and the user's own
 * membership. Both are a handful of rows of the main state line, so that a whole page of events is judged without any
 * further look-up. Pure.
 */

export type HistoryVisibility = 'world_readable' | 'shared' | 'invited' | 'joined';

/** A value that holds from `pos` on. Ascending by pos. */
export interface Since<T> {
  readonly pos: number;
  readonly value: T;
}
export interface VisibilityTimeline {
  readonly visibilities: readonly Since<HistoryVisibility>[];
  readonly memberships: readonly Since<string>[];
  /** Whose memberships they are; absent where nobody's in particular. */
  readonly userId?: string;
  /** Events of history that was fetched, by the position at which they came in (fetched-history.ts). */
  readonly fetched?: ReadonlyMap<number, FetchedEvent>;
}
export interface FetchedEvent {
  readonly isVisible: boolean;
  /** Of the user, right after the event. */
  readonly membership: string | undefined;
}

const permissiveness: Readonly<Record<HistoryVisibility, number>> = {
  joined: 0,
  invited: 1,
  shared: 2,
  world_readable: 3,
};

/**
 * Unknown values count as the default, shared, and so does a room without the event.
 */
export function historyVisibilityOf(value: unknown): HistoryVisibility {
  return typeof value === 'string' && Object.hasOwn(permissiveness, value) ? (value as HistoryVisibility) : 'shared';
}

export function morePermissive(a: HistoryVisibility, b: HistoryVisibility): HistoryVisibility {
  return permissiveness[a] > permissiveness[b] ? a : b;
}

/**
 * `pos`: where the event stands. An event that changes the visibility or the user's own membership has a value before and one
 * after; the more permissive one counts, so both are tried.
 */
export function isVisible(timeline: VisibilityTimeline, pos: number): boolean {
  const fetched = timeline.fetched?.get(pos);
  if (fetched !== undefined) return fetched.isVisible;
  const visibility = morePermissive(
    valueAt(timeline.visibilities, pos - 1) ?? 'shared',
    valueAt(timeline.visibilities, pos) ?? 'shared',
  );
  const memberships = [valueAt(timeline.memberships, pos), valueAt(timeline.memberships, pos - 1)];
  return isVisibleBy(timeline, visibility, memberships, pos);
}

/** By what held around an event. `pos`: from which on a join lets its user see it, where what is shared is theirs to see. */
export function isVisibleBy(
  timeline: VisibilityTimeline,
  visibility: HistoryVisibility,
  memberships: readonly (string | undefined)[],
  pos: number,
): boolean {
  if (visibility === 'world_readable') return true;
  if (memberships.includes('join')) return true;
  if (visibility === 'shared') return timeline.memberships.some((entry) => entry.value === 'join' && entry.pos >= pos);
  return visibility === 'invited' && memberships.includes('invite');
}

/** Whether the user had joined by `untilPos` and could see the event then; of later events, whether they could if nothing had changed. */
export function wasVisible(timeline: VisibilityTimeline, pos: number, untilPos: number): boolean {
  const memberships = timeline.memberships.filter((entry) => entry.pos <= untilPos);
  return memberships.some(({ value }) => value === 'join') && isVisible({ ...timeline, memberships }, pos);
}

/** The user's membership right after the position. */
export function membershipAt(timeline: VisibilityTimeline, pos: number): string | undefined {
  const fetched = timeline.fetched?.get(pos);
  return fetched === undefined ? valueAt(timeline.memberships, pos) : fetched.membership;
}

/** The last stretch in which the user was joined, and which was over at a position: from its first to the first after it. */
export function lastJoinedSpan(
  timeline: VisibilityTimeline,
  pos: number,
): { readonly startPos: number; readonly endPos: number } | undefined {
  const entries = timeline.memberships.filter((entry) => entry.pos <= pos);
  const last = entries.findLastIndex((entry) => entry.value === 'join');
  const end = entries[last + 1];
  if (last < 0 || end === undefined) return undefined;
  const before = entries.findLastIndex((entry, index) => index < last && entry.value !== 'join');
  return { startPos: entries[before + 1]?.pos ?? end.pos, endPos: end.pos };
}

/** The newest value at or below a position. */
export function valueAt<T>(entries: readonly Since<T>[], pos: number): T | undefined {
  let found: T | undefined;
  for (const entry of entries) {
    if (entry.pos > pos) break;
    found = entry.value;
  }
  return found;
}
