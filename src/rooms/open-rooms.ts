/**
 * Which rooms are open to all: anybody may join them, or read them. Their members can be found by everybody in the user
 * directory. Written with the state that says so, when it changes that.
 */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { closeRoom, openRoom } from '../storage/stores/user-directory-store.ts';
import type { RoomDag, StateChange } from './dag/contract.ts';

type SaysSo = 'm.room.join_rules' | 'm.room.history_visibility';
const types: readonly SaysSo[] = ['m.room.join_rules', 'm.room.history_visibility'];

/** To be called before the changes are written. undefined: the room stays what it is. */
export async function openingOf(dag: RoomDag, changes: readonly StateChange[]): Promise<boolean | undefined> {
  const relevant = changes.filter(({ type, stateKey }) => stateKey === '' && types.some((one) => one === type));
  if (relevant.length === 0) return undefined;
  const before = await Promise.all(types.map((type) => dag.currentEvent(type, '')));
  const after = types.map((type, index) => {
    const change = relevant.find((one) => one.type === type);
    return change === undefined ? before[index] : change.event?.event;
  });
  const [wasOpen, isOpen] = [before.some(opens), after.some(opens)];
  return wasOpen === isOpen ? undefined : isOpen;
}

export function writeOpening(unit: UnitBuilder, room: number, isOpen: boolean): void {
  unit.run(isOpen ? openRoom : closeRoom, { room });
}

function opens(event: RoomEvent | undefined): boolean {
  if (event === undefined) return false;
  const { join_rule: joinRule, history_visibility: visibility } = event.content;
  return event.type === 'm.room.join_rules' ? joinRule === 'public' : visibility === 'world_readable';
}
