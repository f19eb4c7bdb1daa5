/** Parts of the state of many rooms, read together. */
import type { RoomsContext } from '../rooms/context.ts';

export interface WantedState {
  /** Interned keys. */
  readonly skeys: Iterable<number>;
  /** Whose memberships. */
  readonly members: Iterable<string>;
}

export interface FoundState {
  /** The numbers of the events, by interned key; memberships left out. */
  readonly state: ReadonlyMap<number, number>;
  /** Of everybody who was asked for; undefined: they have no membership. */
  readonly members: ReadonlyMap<string, number | undefined>;
}

/** At a position; by room. One read where the names are in memory. */
export async function statesOfRooms(
  { names, states }: RoomsContext,
  wanted: ReadonlyMap<number, WantedState>,
  pos: number,
): Promise<ReadonlyMap<number, FoundState>> {
  const userIds = new Set(Array.from(wanted.values(), ({ members }) => [...members]).flat());
  const people = [...userIds];
  const memberSkeys = await names.findSkeys(people.map((key) => ({ type: 'm.room.member', key })));
  const skeyOf = new Map(people.map((userId, index) => [userId, memberSkeys[index]]));
  const skeysOf = ({ skeys, members }: WantedState): number[] => [
    ...skeys,
    ...Array.from(members, (userId) => skeyOf.get(userId) ?? []).flat(),
  ];
  const found = await states.stateEventsInRooms(
    new Map(Array.from(wanted, ([room, part]) => [room, skeysOf(part)])),
    pos,
  );
  const parts = new Map<number, FoundState>();
  for (const [room, events] of found) {
    const { skeys = [], members = [] } = wanted.get(room) ?? {};
    const state = new Map<number, number>();
    for (const skey of skeys) {
      const nid = events.get(skey);
      if (nid !== undefined) state.set(skey, nid);
    }
    const membersOf = new Map(Array.from(members, (userId) => [userId, events.get(skeyOf.get(userId) ?? -1)] as const));
    parts.set(room, { state, members: membersOf });
  }
  return parts;
}

export const nidsIn = ({ state, members }: FoundState): number[] => [
  ...state.values(),
  ...[...members.values()].filter((nid) => nid !== undefined),
];
