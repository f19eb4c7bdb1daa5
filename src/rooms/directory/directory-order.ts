/**
 * The published rooms in the order of the directory, the largest first, and pages of it. A page begins behind a room as it
 * stood in the order, so that rooms which come, go or change elsewhere in the list neither double nor hide others. Pure.
 */

/** Where a room stands: by its members, then by its number. */
export interface DirectoryPlace {
  readonly members: number;
  readonly room: number;
}
export interface DirectoryCursor {
  /** `after`: the rooms that follow the place. `before`: those that come right before it. */
  readonly side: 'after' | 'before';
  readonly place: DirectoryPlace;
}
export interface DirectoryPage<E> {
  readonly entries: readonly E[];
  /** undefined: nothing follows, or nothing comes before. */
  readonly next: DirectoryPlace | undefined;
  readonly previous: DirectoryPlace | undefined;
}

/** undefined: not a token of the directory. */
export function parseDirectoryToken(token: string): DirectoryCursor | undefined {
  const [, side, members, room] = /^([np])(\d{1,15})\.(\d{1,16})$/.exec(token) ?? [];
  if (side === undefined) return undefined;
  return { side: side === 'n' ? 'after' : 'before', place: { members: Number(members), room: Number(room) } };
}
export const formatNextToken = ({ members, room }: DirectoryPlace): string => `n${members}.${room}`;
export const formatPreviousToken = ({ members, room }: DirectoryPlace): string => `p${members}.${room}`;

export function compareDirectoryPlaces(a: DirectoryPlace, b: DirectoryPlace): number {
  return b.members - a.members || a.room - b.room;
}

/** The index of the first entry that does not come before the place. */
export function indexOfPlace(order: readonly DirectoryPlace[], place: DirectoryPlace): number {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareDirectoryPlaces(order[middle]!, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Looks at the entries of the page, and with a filter at those it leaves out on the way. */
export function directoryPage<E extends DirectoryPlace>(
  order: readonly E[],
  cursor: DirectoryCursor | undefined,
  limit: number,
  passes: (entry: E) => boolean,
): DirectoryPage<E> {
  const start = cursor === undefined ? 0 : indexBehind(order, cursor);
  if (cursor?.side === 'before') {
    const { taken, beyond } = take(order, start - 1, -1, limit, passes);
    const entries = taken.toReversed();
    const next = take(order, start, 1, 1, passes).taken.length > 0;
    // Nothing comes before: what follows begins with the room at the place itself.
    const last = entries.at(-1) ?? { ...cursor.place, room: cursor.place.room - 1 };
    return { entries, next: next ? last : undefined, previous: beyond && entries[0] };
  }
  const { taken, beyond } = take(order, start, 1, limit, passes);
  const hasPrevious = start > 0 && take(order, start - 1, -1, 1, passes).taken.length > 0;
  // Behind the end there is no first entry; everything comes before where the page would be.
  const first = taken[0] ?? order[start] ?? endOfOrder;
  return { entries: taken, next: beyond && taken.at(-1), previous: hasPrevious ? placeOf(first) : undefined };
}

const endOfOrder: DirectoryPlace = { members: 0, room: Number.MAX_SAFE_INTEGER };

const placeOf = ({ members, room }: DirectoryPlace): DirectoryPlace => ({ members, room });

/** The first entry behind the cursor's place; for `before`, the first one that is not before it. */
function indexBehind(order: readonly DirectoryPlace[], { side, place }: DirectoryCursor): number {
  const index = indexOfPlace(order, place);
  const at = order[index];
  return side === 'after' && at !== undefined && compareDirectoryPlaces(at, place) === 0 ? index + 1 : index;
}

function take<E>(
  order: readonly E[],
  start: number,
  step: 1 | -1,
  limit: number,
  passes: (entry: E) => boolean,
): { readonly taken: readonly E[]; readonly beyond: true | undefined } {
  const taken: E[] = [];
  for (let index = start; index >= 0 && index < order.length; index += step) {
    const entry = order[index]!;
    if (!passes(entry)) continue;
    if (taken.length >= limit) return { taken, beyond: true };
    taken.push(entry);
  }
  return { taken, beyond: undefined };
}
