/**
 * What somebody is shown of a room that they are invited to or knock on.
 * https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
import type { RoomEvent, StateTuple } from '../matrix/events/room-event.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomDag } from './dag/contract.ts';

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
export async function strippedStateFor(dag: RoomDag, memberEvent: RoomEvent): Promise<JsonObject[]> {
  const { sender, stateKey } = memberEvent;
  // What somebody who knocks was before is over with the knock.
  const tuples: readonly StateTuple[] = sender === stateKey ? shown : [...shown, ['m.room.member', sender]];
  const state = await dag.currentEvents(tuples);
  return [...tuples.flatMap(([type, key]) => state(type, key) ?? []), memberEvent].map(strip);
}

function strip(event: RoomEvent): JsonObject {
  return { type: event.type, state_key: event.stateKey, sender: event.sender, content: event.content };
}
