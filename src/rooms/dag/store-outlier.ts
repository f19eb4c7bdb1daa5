/** Events without a place in the room's DAG: those of handed-in states and of auth chains. */
import type { AuthResult, RoomEvent } from '../../matrix/events/room-event.ts';
import type { UnitTicket } from '../../storage/database.ts';
import { encodeEventBody } from '../../storage/event-body.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { insertEvent, insertEventBody } from '../../storage/stores/room-graph-store.ts';
import { MissingEvents } from './contract.ts';
import { type EventPlace, isRejected } from './event-places.ts';
import type { HotRoom } from './hot-room.ts';
import { judgeByAuthEvents } from './judge.ts';
import { loadCited, missingCreate } from './references.ts';
import { RoomView } from './room-view.ts';
import { storableInteger } from './storable-integer.ts';

export interface StoredOutlier {
  readonly nid: number;
  readonly verdict: AuthResult;
  readonly ticket: UnitTicket | undefined;
}

export async function storeOutlier(room: HotRoom, event: RoomEvent, body: string): Promise<StoredOutlier> {
  const known = (await room.places.find([event.eventId])).get(event.eventId);
  if (known !== undefined) return { nid: known.nid, verdict: verdictOf(known), ticket: undefined };
  const view = new RoomView(room, 0);
  const authPlaces = await view.places([...new Set(event.authEvents)]);
  const missing = [...missingCreate(room, event), ...event.authEvents.filter((id) => !authPlaces.has(id))];
  if (missing.length > 0) throw new MissingEvents(missing, []);
  const { authNids, cited } = await loadCited(view, event, authPlaces);
  const verdict = judgeByAuthEvents(room, event, cited);
  const { names, db } = room.services;
  const sender = await names.userNid(event.sender);
  const skey = event.stateKey === undefined ? null : await names.skey(event.type, event.stateKey);
  const nid = db.nextId();
  const node = skey === null ? undefined : await room.graph.plan(nid, skey, authNids);
  const place: EventPlace = {
    nid,
    eventId: event.eventId,
    ord: null,
    pos: null,
    skey,
    depth: storableInteger(event.depth),
    point: null,
    flags: EventFlag.outlier | (verdict.ok ? 0 : EventFlag.rejected),
    notifySeq: 0,
  };
  const { ticket, pin } = room.write((unit) => {
    unit.run(insertEvent, {
      ...place,
      room: room.room,
      type: event.type,
      sender,
      ts: storableInteger(event.originServerTs),
      sline: null,
      spos: null,
    });
    unit.run(insertEventBody, { nid, body: encodeEventBody(body) });
    if (node !== undefined) room.graph.emit(unit, node);
  });
  room.places.wrote(place, pin);
  room.services.events.put(nid, event, body.length);
  if (node !== undefined) room.graph.added(node, pin);
  if (room.isNamedAfter(event)) room.create = { place, event };
  return { nid, verdict, ticket };
}

function verdictOf(place: EventPlace): AuthResult {
  if (!isRejected(place)) return { ok: true };
  return { ok: false, rule: '', reason: 'The event was rejected when it was received' };
}
