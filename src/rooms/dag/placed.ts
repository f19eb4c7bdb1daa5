import { isRejected, type EventPlace } from './event-places.ts';
import type { AuthResult } from '../../matrix/events/room-event.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import type { Placed } from './contract.ts';
import type { HotRoom } from './hot-room.ts';

/** A local event that was refused: nothing is stored. */
export function refusal(room: HotRoom, verdict: AuthResult): Placed {
  return {
    room: room.room,
    nid: 0,
    pos: 0,
    ord: null,
    notifySeq: room.notifySeq,
    verdict,
    softFailed: false,
    stateChanges: [],
    ticket: undefined,
  };
}

/** An event that has its place already: nothing is done. */
export function alreadyPlaced(room: HotRoom, place: EventPlace): Placed {
  const rejected = { ok: false, rule: '', reason: 'The event was rejected when it was received' } as const;
  return {
    room: room.room,
    nid: place.nid,
    pos: place.pos ?? 0,
    ord: place.ord,
    notifySeq: place.notifySeq,
    verdict: isRejected(place) ? rejected : { ok: true },
    softFailed: (place.flags & EventFlag.softFailed) !== 0,
    stateChanges: [],
    ticket: undefined,
  };
}
