/** What somebody's power level in a room allows. https://spec.matrix.org/v1.19/client-server-api/#permissions */
import { powerLevelOf, requiredPowerLevelFor } from '../matrix/event-auth/power-levels.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomDag } from './dag/contract.ts';
import { memberOf, membershipIn } from './membership.ts';

/** Whether the user is joined and may send state events of this type, those with a user ID as their key apart. */
export async function maySendState(dag: RoomDag, userId: UserId, type: string): Promise<boolean> {
  if (membershipIn(await memberOf(dag, userId)) !== 'join') return false;
  const create = await dag.currentEvent('m.room.create', '');
  const powerLevels = await dag.currentEvent('m.room.power_levels', '');
  const required = requiredPowerLevelFor(type, true, powerLevels, dag.rules);
  return powerLevelOf(userId, create, powerLevels, dag.rules) >= required;
}
