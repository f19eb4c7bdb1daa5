/**
 * What somebody is shown of a room that they are invited to or knock on.
 * https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
import type { RoomEvent, StateTuple } from '../matrix/events/room-event.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { erasedPdu } from './erasure.ts';

const shown: readonly StateTuple[] = [
  ['m.room.create', ''],
  ['m.room.join_rules', ''],
  ['m.room.name', ''],
  ['m.room.canonical_alias', ''],
  ['m.room.avatar', ''],
  ['m.room.topic', ''],
  ['m.room.encryption', ''],
];

/** The events of the current state that say what the room is, the inviter's membership, and the invite or knock itself. */
export async function strippedStateFor(
  ctx: Pick<RoomsContext, 'erasures'>,
  dag: RoomDag,
  memberEvent: RoomEvent,
): Promise<JsonObject[]> {
  return [...(await shownState(dag, memberEvent)), memberEvent].map((event) => strip(ctx, dag, event));
}

/** The same events of the current state as they are, without the invite or knock, for servers that check them. */
export async function shownState(dag: RoomDag, { sender, stateKey }: RoomEvent): Promise<RoomEvent[]> {
  // What somebody who knocks was before is over with the knock.
  const tuples: readonly StateTuple[] = sender === stateKey ? shown : [...shown, ['m.room.member', sender]];
  const state = await dag.currentEvents(tuples);
  return tuples.flatMap(([type, key]) => state(type, key) ?? []);
}

/** Events that came from another server with an invite or a knock, as a client is shown them. */
export function strippedEvents(events: readonly RoomEvent[]): JsonObject[] {
  return events.map(({ type, stateKey, sender, content }) => ({ type, state_key: stateKey ?? '', sender, content }));
}

/** Whoever is invited or knocks is new here, whatever they saw in earlier times. */
function strip(ctx: Pick<RoomsContext, 'erasures'>, dag: RoomDag, event: RoomEvent): JsonObject {
  const isErased = ctx.erasures.erasedSince(event.sender) !== undefined;
  const { content } = isErased ? erasedPdu(event.pdu, dag.rules) : event;
  return { type: event.type, state_key: event.stateKey, sender: event.sender, content };
}
