/** Events without a place in the room's DAG: those of handed-in states and of auth chains. */
import type { AuthResult, RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { UnitTicket } from '../../storage/database.ts';
import { encodeEventBody } from '../../storage/event-body.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { insertEvent, insertEventBody } from '../../storage/stores/room-graph-store.ts';
import { MissingEvents, type StoredOutlier } from './contract.ts';
import { type EventPlace, isRejected } from './event-places.ts';
import type { HotRoom } from './hot-room.ts';
import { judgeByAuthEvents } from './judge.ts';
import { missingCreate } from './references.ts';
import { RoomView } from './room-view.ts';
import { storableInteger } from './storable-integer.ts';

interface Outlier {
  readonly event: RoomEvent;
  readonly body: string;
}

const eventsPerChunk = 250;

export async function storeOutliers(room: HotRoom, outliers: readonly Outlier[]): Promise<readonly StoredOutlier[]> {
  const stored: StoredOutlier[] = [];
  for (let at = 0; at < outliers.length; at += eventsPerChunk) {
    if (at > 0) await room.services.pause();
    // What is under way stays in memory: no more of it than one chunk.
    await stored.at(-1)?.ticket?.committed;
    stored.push(...(await storeChunk(room, outliers.slice(at, at + eventsPerChunk))));
  }
  return stored;
}

/** Everything that the database is asked is asked for all of them at once. */
async function storeChunk(room: HotRoom, outliers: readonly Outlier[]): Promise<StoredOutlier[]> {
  const view = new RoomView(room, 0);
  const named = outliers.flatMap(({ event }) => [event.eventId, ...event.authEvents]);
  const places = await view.places([...new Set(named)]);
  const fresh = outliers.filter(({ event }) => !places.has(event.eventId));
  const [senders, skeys] = await internAll(room, fresh);
  await view.events([...places.values()].map((place) => place.nid));
  const stored: StoredOutlier[] = [];
  for (const { event, body } of outliers) {
    const known = places.get(event.eventId);
    if (known !== undefined) {
      stored.push({ nid: known.nid, verdict: verdictOf(known), ticket: undefined });
      continue;
    }
    const missing = [...missingCreate(room, event), ...event.authEvents.filter((id) => !places.has(id))];
    if (missing.length > 0) throw new MissingEvents(missing, []);
    const names = { sender: senders.get(event.sender)!, skey: skeys.get(keyOf(event)) ?? null };
    const { place, verdict, ticket } = await storeOne(view, places, { event, body, ...names });
    places.set(event.eventId, place);
    stored.push({ nid: place.nid, verdict, ticket });
  }
  return stored;
}

interface NamedOutlier extends Outlier {
  readonly sender: number;
  readonly skey: number | null;
}

async function storeOne(
  view: RoomView,
  places: ReadonlyMap<EventId, EventPlace>,
  { event, body, sender, skey }: NamedOutlier,
): Promise<{ readonly place: EventPlace; readonly verdict: AuthResult; readonly ticket: UnitTicket }> {
  const { room } = view;
  const authPlaces = event.authEvents.map((eventId) => places.get(eventId)!);
  const authNids = [...new Set(authPlaces.map((place) => place.nid))];
  const events = await view.events(authNids);
  const cited = authPlaces.map((place) => ({ event: events.get(place.nid)!, rejected: isRejected(place) }));
  const verdict = judgeByAuthEvents(room, event, cited);
  const nid = room.services.db.nextId();
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
  view.addEvent(nid, event);
  if (node !== undefined) room.graph.added(node, pin);
  if (room.isNamedAfter(event)) room.create = { place, event };
  return { place, verdict, ticket };
}

/** The numbers of senders and state keys, made where they are new. */
async function internAll(
  room: HotRoom,
  outliers: readonly Outlier[],
): Promise<readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>]> {
  const { names } = room.services;
  const events = outliers.map(({ event }) => event);
  const senders = [...new Set(events.map((event) => event.sender))];
  const keyed = new Map(
    events.flatMap((event) =>
      event.stateKey === undefined ? [] : [[keyOf(event), { type: event.type, key: event.stateKey }]],
    ),
  );
  const [senderNids, skeys] = await Promise.all([names.userNids(senders), names.skeys([...keyed.values()])]);
  return [
    new Map(senders.map((sender, index) => [sender, senderNids[index]!])),
    new Map([...keyed.keys()].map((key, index) => [key, skeys[index]!])),
  ];
}

const keyOf = ({ type, stateKey }: RoomEvent): string =>
  stateKey === undefined ? '' : `${type.length}:${type}${stateKey}`;

function verdictOf(place: EventPlace): AuthResult {
  if (!isRejected(place)) return { ok: true };
  return { ok: false, rule: '', reason: 'The event was rejected when it was received' };
}
