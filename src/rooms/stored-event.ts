/** Events as they lie in the database, brought back to values. */
import { referenceHash } from '../matrix/crypto/reference-hash.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import { notFound } from '../matrix/errors.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { federationJsonDepthMax, parseJson } from '../matrix/json/parse-json.ts';
import { decodeEventBody } from '../storage/event-body.ts';
import { type EventRow, eventById } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';

export interface StoredEvent {
  readonly header: EventRow;
  readonly event: RoomEvent;
}

export async function findStoredEvent(ctx: RoomsContext, eventId: EventId): Promise<StoredEvent | undefined> {
  const header = await ctx.db.one(eventById, { eventId });
  if (header === undefined) return undefined;
  const { rules } = await ctx.dags.openByNid(header.room);
  return { header, event: roomEventFromPdu(pduOf(header), rules, eventId) };
}

/** What was stored was checked when it came, so that it is parsed without checks. */
export function pduOf(row: { readonly body: Buffer }): JsonObject {
  return JSON.parse(decodeEventBody(row.body)) as JsonObject;
}

/** For what is hashed or written again: numbers that JavaScript does not know keep their text. */
export function exactPduOf(row: { readonly body: Buffer }): JsonObject {
  return parseJson(decodeEventBody(row.body), { numbers: 'exact', depthMax: federationJsonDepthMax }) as JsonObject;
}

/** In unpadded base64, for room versions that name it beside an event id. */
export async function referenceHashOf(ctx: RoomsContext, dag: RoomDag, eventId: EventId): Promise<string> {
  const unwritten = dag.unwritten(eventId);
  if (unwritten !== undefined) return referenceHash(unwritten.pdu, dag.rules);
  let header = await ctx.db.one(eventById, { eventId });
  if (header === undefined) {
    // The event before is perhaps still on its way to disk. Only the two oldest room versions wait for it.
    await ctx.db.drained();
    header = await ctx.db.one(eventById, { eventId });
  }
  if (header === undefined) throw notFound(`${eventId} is not known here`);
  return referenceHash(exactPduOf(header), dag.rules);
}
