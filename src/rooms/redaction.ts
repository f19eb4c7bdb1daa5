/**
 * What a redaction does to the event that it names. https://spec.matrix.org/v1.19/client-server-api/#redactions
 *
 * The redacted form replaces the stored one in the same unit: nothing of what was taken away stays in the database.
 */
import { forbidden } from '../matrix/errors.ts';
import { canonicalJson } from '../matrix/json/canonical-json.ts';
import { redact } from '../matrix/events/redact.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { namedPowerLevel, powerLevelOf } from '../matrix/event-auth/power-levels.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { encodeEventBody } from '../storage/event-body.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { markRedacted, replaceBody } from '../storage/stores/timeline-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { type StoredEvent, findStoredEvent } from './stored-event.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** The stored form of an event changed; whoever keeps a copy drops it. */
    redaction: { room: number; nid: number };
  }
}

export interface Redaction {
  readonly target: StoredEvent;
  readonly redactedBody: string;
}

/**
 * The redaction that an accepted `m.room.redaction` carries out; undefined where it has no effect: its target is unknown
 * here or in another room, or the sender may redact neither by power level nor as a user of the target's server.
 */
export async function redactionOf(ctx: RoomsContext, dag: RoomDag, event: RoomEvent): Promise<Redaction | undefined> {
  if (event.type !== 'm.room.redaction' || event.redacts === undefined) return undefined;
  const target = await findStoredEvent(ctx, event.redacts);
  if (target === undefined || target.header.room !== dag.room) return undefined;
  if (!(await mayRedact(dag, event.sender, target.event.sender))) return undefined;
  return { target, redactedBody: canonicalJson(redact(target.event.pdu, dag.rules)) };
}

/** Throws M_FORBIDDEN when the user may not redact this event. */
export async function assertMayRedact(dag: RoomDag, userId: UserId, target: RoomEvent): Promise<void> {
  if (userId === target.sender || (await hasRedactLevel(dag, userId))) return;
  throw forbidden('You do not have permission to redact this event');
}

async function mayRedact(dag: RoomDag, sender: UserId, targetSender: UserId): Promise<boolean> {
  return serverOf(sender) === serverOf(targetSender) || (await hasRedactLevel(dag, sender));
}

async function hasRedactLevel(dag: RoomDag, userId: UserId): Promise<boolean> {
  const create = await dag.currentEvent('m.room.create', '');
  const powerLevels = await dag.currentEvent('m.room.power_levels', '');
  return powerLevelOf(userId, create, powerLevels, dag.rules) >= namedPowerLevel('redact', powerLevels, dag.rules);
}

export function redactStored(unit: UnitBuilder, redaction: Redaction, redactedBy: number): void {
  const { header } = redaction.target;
  unit.run(replaceBody, { nid: header.nid, body: encodeEventBody(redaction.redactedBody) });
  unit.run(markRedacted, { nid: header.nid, flags: header.flags | EventFlag.redacted, redactedBy });
  unit.wake({ kind: 'redaction', room: header.room, nid: header.nid });
}
