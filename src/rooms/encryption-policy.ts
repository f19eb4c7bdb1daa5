/** Rooms that begin encrypted, and that stay so. https://spec.matrix.org/v1.19/client-server-api/#mroomencryption */
import { badJson, forbidden } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { CreateRoomRequest, StateDraft } from './create-room-events.ts';
import type { RoomDag } from './dag/contract.ts';

/** Which new rooms are encrypted unless their creator says how: all, those of the private presets, or none. */
export type EncryptByDefault = 'all' | 'private' | 'off';

export const encryptionType = 'm.room.encryption';

/** What a new room gets of encryption beside what its creator asks for. Throws M_BAD_JSON where that names no algorithm. */
export function encryptionByDefault(
  which: EncryptByDefault,
  request: CreateRoomRequest,
  preset: NonNullable<CreateRoomRequest['preset']>,
): StateDraft[] {
  const asked = request.initialState.find(({ type, stateKey }) => type === encryptionType && stateKey === '');
  if (asked !== undefined && algorithmOf(asked.content) === undefined)
    throw badJson('m.room.encryption in initial_state must name its algorithm');
  const isMeant = which === 'all' || (which === 'private' && preset !== 'public_chat');
  // Nobody writes into a space, and what it consists of is state.
  const isSpace = request.creationContent['type'] === 'm.space';
  if (asked !== undefined || !isMeant || isSpace || request.encryption === 'asRequested') return [];
  return [{ type: encryptionType, stateKey: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }];
}

/**
 * What this server lets its users do; what the room's rules allow is more. Throws M_FORBIDDEN for a content that would end the
 * encryption of a room or change its algorithm.
 */
export async function assertKeepsEncryption(dag: RoomDag, content: JsonObject): Promise<void> {
  const algorithm = algorithmOf((await dag.currentEvent(encryptionType, ''))?.content ?? {});
  if (algorithm !== undefined && algorithmOf(content) !== algorithm)
    throw forbidden('The encryption of a room stays as it is');
}

/** The same for the redaction of an event: what stays of the one that makes the room encrypted names no algorithm. */
export async function assertRedactionKeepsEncryption(dag: RoomDag, eventId: string): Promise<void> {
  const current = await dag.currentEvent(encryptionType, '');
  if (current?.eventId === eventId && algorithmOf(current.content) !== undefined)
    throw forbidden('What makes a room encrypted cannot be redacted');
}

/** undefined: the content does not make a room encrypted. */
function algorithmOf({ algorithm }: JsonObject): string | undefined {
  return typeof algorithm === 'string' && algorithm !== '' ? algorithm : undefined;
}
