/** One room within a pass, and what is found about it. */
import type { UserId } from '../../matrix/ids/ids.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import type { EventFragment } from '../event-fragments.ts';
import type { RoomReader } from '../room-reader.ts';
import type { Candidate } from './candidates.ts';
import type { MemberNews, RoomRecord } from './connection.ts';
import type { SlidingLook } from './room-looks.ts';
import type { RoomResult } from './room-result.ts';
import type { SlidingPass } from './sliding-pass.ts';

/** What a room's evaluation gives; `result` undefined: nothing to tell. */
export interface RoomTold {
  readonly result: RoomResult | undefined;
  readonly record: RoomRecord;
  readonly members?: MemberNews | undefined;
}

/** A joined room within one pass. */
export interface JoinedView {
  readonly pass: SlidingPass;
  readonly candidate: Candidate;
  readonly dag: RoomDag;
  readonly reader: RoomReader;
  /** What was read of the room already; only of one that is told anew. */
  readonly look: SlidingLook | undefined;
  /** The client knows nothing of the room as a joined one. */
  readonly isInitial: boolean;
  /** Up to where the client knows; -1: nothing. */
  readonly from: number;
}

export const listNames = ({ windows }: SlidingPass, candidate: Candidate): string[] =>
  candidate.windows.flatMap((index) => windows[index]?.list.name ?? []);

/** Who wrote what is told, and whose membership it is about. */
export function peopleIn(fragments: readonly EventFragment[]): Set<UserId> {
  const people = new Set<UserId>();
  for (const { sender, type, stateKey } of fragments) {
    people.add(sender as UserId);
    if (type === 'm.room.member' && stateKey !== undefined) people.add(stateKey as UserId);
  }
  return people;
}
