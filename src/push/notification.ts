/** What a push gateway is told. https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify */
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { Lru } from '../platform/lru.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { pduOf } from '../rooms/stored-event.ts';
import { mainThread } from '../rooms/threads.ts';
import type { Commit } from '../storage/database.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { threadAt } from '../storage/stores/thread-event-store.ts';
import { eventsByNids } from '../storage/stores/timeline-store.ts';

/** An event as devices are told of it, without what is different for each of them. */
export interface PushableEvent {
  readonly event: RoomEvent;
  readonly ord: number;
  /** Its thread root's id, or `mainThread`. */
  readonly thread: string;
  /** `event_id` and `room_id`. */
  readonly reference: JsonObject;
  /** Type, sender, content and the names that stand for them. */
  readonly details: JsonObject;
}

/** The same event goes to many devices at nearly the same time. */
const eventsMax = 200;

export class PushableEvents {
  readonly #ctx: RoomsContext;
  readonly #known = new Lru<number, Promise<PushableEvent | undefined>>({ sizeMax: eventsMax });

  constructor(ctx: RoomsContext) {
    this.#ctx = ctx;
  }

  /** To be called for every commit. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) if (wake.kind === 'redaction') this.#known.delete(wake.nid);
  }

  /** undefined: there is nothing to tell of any more, it was redacted, erased or purged. */
  find(nid: number): Promise<PushableEvent | undefined> {
    let event = this.#known.find(nid);
    if (event === undefined) {
      event = this.#load(nid);
      this.#known.set(nid, event);
      event.catch(() => this.#known.delete(nid));
    }
    return event;
  }

  async #load(nid: number): Promise<PushableEvent | undefined> {
    const [row] = await this.#ctx.db.all(eventsByNids, { nids: [nid] });
    const isGone = ((row?.flags ?? 0) & (EventFlag.redacted | EventFlag.rejected | EventFlag.softFailed)) !== 0;
    if (row === undefined || row.ord === null || isGone) return undefined;
    const dag = await this.#ctx.dags.openByNid(row.room);
    const event = roomEventFromPdu(pduOf(row), dag.rules, row.event_id as EventId);
    if (this.#ctx.erasures.erasedSince(event.sender) !== undefined) return undefined;
    const { room, ord } = row;
    const thread = (await this.#ctx.db.one(threadAt, { room, ord }))?.root ?? mainThread;
    const reference = { event_id: event.eventId, room_id: dag.roomId };
    return { event, ord, thread, reference, details: await detailsOf(dag, event) };
  }
}

async function detailsOf(dag: RoomDag, event: RoomEvent): Promise<JsonObject> {
  const textIn = async (type: string, stateKey: string, field: string): Promise<string | undefined> => {
    const value = (await dag.currentEvent(type, stateKey))?.content[field];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return withoutUndefined({
    type: event.type,
    sender: event.sender,
    sender_display_name: await textIn('m.room.member', event.sender, 'displayname'),
    room_name: await textIn('m.room.name', '', 'name'),
    room_alias: await textIn('m.room.canonical_alias', '', 'alias'),
    content: event.content,
  });
}

export interface NotificationParts {
  /** Absent: only counts are told. */
  readonly pushable?: PushableEvent | undefined;
  /** As the event's push rule says. */
  readonly tweaks: JsonObject;
  readonly userId: string;
  readonly unread: number;
  /** The pusher's own part: app_id, pushkey, pushkey_ts, data. */
  readonly device: JsonObject;
  /** Only which event it is. */
  readonly isEventIdOnly: boolean;
}

/** The `notification` of the request. */
export function notificationBody(parts: NotificationParts): JsonObject {
  const { pushable, tweaks, unread, device, isEventIdOnly } = parts;
  const counts = unread > 0 ? { unread } : {};
  if (pushable === undefined) return { prio: 'low', counts, devices: [device] };
  const { event, reference, details } = pushable;
  const prio = isUrgent(event, tweaks) ? 'high' : 'low';
  if (isEventIdOnly) return { ...reference, prio, counts, devices: [device] };
  const target = event.type === 'm.room.member' ? { user_is_target: event.stateKey === parts.userId } : {};
  return { ...reference, ...details, ...target, prio, counts, devices: [{ ...device, tweaks }] };
}

/** What makes a sound or is about its reader, and what only a device can tell. */
function isUrgent({ type }: RoomEvent, tweaks: JsonObject): boolean {
  return type === 'm.room.encrypted' || tweaks['highlight'] === true || tweaks['sound'] !== undefined;
}

function withoutUndefined(fields: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  const entries = Object.entries(fields).filter(
    (entry): entry is [string, JsonObject[string]] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}
