/** Which rooms one list of a request shows. */
import type { ListVersion } from './filtered-rooms.ts';
import type { RoomOrder } from './room-order.ts';
import type { SlidingList } from './sliding-request.ts';

export interface Window {
  readonly list: SlidingList;
  /** Of all rooms that pass the list's filter. */
  readonly count: number;
  readonly version: ListVersion;
  /** The rooms, the newest first; undefined: all that pass. */
  readonly rooms: readonly number[] | undefined;
  has(room: number): boolean;
  /** All of it. */
  walk(): Iterable<number>;
}

/** As the list is now; what changes later is not seen, unless it shows all rooms. */
export function windowOf(
  list: SlidingList,
  { order, version }: { readonly order: RoomOrder; readonly version: ListVersion },
): Window {
  const count = order.size;
  const ranges = list.ranges?.map(([from, to]) => [from, Math.min(to, count - 1)] as const);
  const isWhole = ranges === undefined || ranges.some(([from, to]) => from === 0 && to >= count - 1);
  if (isWhole) {
    return { list, count, version, rooms: undefined, has: (room) => order.has(room), walk: () => order };
  }
  const rooms = new Set(ranges.flatMap(([from, to]) => order.between(from, to)));
  return { list, count, version, rooms: [...rooms], has: (room) => rooms.has(room), walk: () => rooms };
}
