/** What other servers are to be told: events of our users, and those that were made through us. */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { insertTargetedEvent } from '../storage/stores/outgoing-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { Placed } from './dag/contract.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** An event was taken in that this server sends to the others in the room. */
    outgoing: OutgoingEvent;
  }
}

export interface OutgoingEvent {
  readonly room: number;
  readonly nid: number;
  readonly pos: number;
  readonly event: RoomEvent;
  /** The exact canonical JSON, as it is stored. */
  readonly body: string;
  /** It knows already: it made the event through us. */
  readonly exceptServerNid: number | undefined;
  /** It is told whether or not any of its users are in the room: one of them is whom the event is about. */
  readonly targetServerNid: number | undefined;
}

/**
 * For an event of a local user: the server of whom it kicks, bans or takes an invite or a knock back from. An invite itself
 * goes another way, since that server signs it. https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room
 */
export async function targetServerOf(
  ctx: RoomsContext,
  event: Pick<RoomEvent, 'type' | 'stateKey' | 'content'>,
): Promise<number | undefined> {
  const { stateKey } = event;
  if (event.type !== 'm.room.member' || !isUserId(stateKey) || event.content['membership'] === 'invite')
    return undefined;
  const server = serverOf(stateKey);
  return ctx.localServers.isLocal(server) ? undefined : ctx.names.serverNid(server);
}

/** Part of the unit that stores the event; before the parts that say who is in the room from then on. */
export function sendOut(
  unit: UnitBuilder,
  { room, nid, pos }: Placed,
  told: Pick<OutgoingEvent, 'event' | 'body'> & Partial<Pick<OutgoingEvent, 'exceptServerNid' | 'targetServerNid'>>,
): void {
  const { event, body, exceptServerNid, targetServerNid } = told;
  // Once its last user is out of the room, nothing else says that it has to be told.
  if (targetServerNid !== undefined) unit.run(insertTargetedEvent, { server: targetServerNid, pos, nid });
  unit.wake({ kind: 'outgoing', room, nid, pos, event, body, exceptServerNid, targetServerNid });
}
