/** What can be said of events before anything of them is stored. Pure. */
import { badJson, forbidden } from '../matrix/errors.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import type { EventDraft } from './build-event.ts';

/** What no user of this server sends, although no rule of the room forbids it. Throws M_FORBIDDEN, M_BAD_JSON. */
export function assertSendable({ type, stateKey }: Pick<EventDraft, 'type' | 'stateKey'>): void {
  if (type === 'm.room.create') throw forbidden('A room has one create event');
  if (type === 'm.room.member' && stateKey !== undefined && !isUserId(stateKey))
    throw badJson('The state key of a membership is a user ID');
}
