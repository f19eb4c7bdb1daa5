/** The departure of somebody from a room of which no server listens: it goes nowhere, and tells them that they are out. */
import { referenceHash } from '../matrix/crypto/reference-hash.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { buildEvent } from './build-event.ts';
import { type RoomsContext, randomOpaqueId, signerFor } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import type { CheckedEvent } from './receive-event.ts';

/** `until`: the user's membership so far, such as an invite. It is all that is known of the room's graph. */
export function departureAlone(
  ctx: RoomsContext,
  { roomId, rules }: Pick<RoomDag, 'roomId' | 'rules'>,
  userId: UserId,
  until: RoomEvent,
  content: JsonObject,
): CheckedEvent {
  const reference = { eventId: until.eventId, ...hashOf(until, rules) };
  const place = {
    roomId,
    rules,
    prevEvents: [reference],
    authEvents: [reference],
    depth: Math.min(until.depth + 1, Number.MAX_SAFE_INTEGER),
    originServerTs: ctx.clock.nowMs(),
  };
  const draft = { type: 'm.room.member', stateKey: userId, sender: userId, content };
  return buildEvent(draft, place, [signerFor(ctx, userId)], () => randomOpaqueId(ctx.random));
}

function hashOf({ pdu }: RoomEvent, rules: RoomDag['rules']): { readonly hash?: string } {
  return rules.referenceFormat === 'id' ? {} : { hash: referenceHash(pdu, rules) };
}
