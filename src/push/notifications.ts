/**
 * What a user has been notified of, or would have been with the push rules that they have now. Derived from the timelines of
 * their rooms, the newest first: nothing is stored for it.
 * https://spec.matrix.org/v1.19/client-server-api/#listing-notifications
 */
import type { Requester } from '../accounts/requester.ts';
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import { invalidParam } from '../matrix/errors.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { PushOutcome } from '../matrix/push-rules/push-outcome.ts';
import { limits } from '../platform/limits.ts';
import { plainEvents } from '../rooms/client-events.ts';
import { firstOrdAfter, formatTimelineToken, parseTimelineToken } from '../rooms/pagination-token.ts';
import { pduOf } from '../rooms/stored-event.ts';
import { mainThread } from '../rooms/threads.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { type NotifyingRoom, notifyingRooms } from '../storage/stores/notification-store.ts';
import { threadAt } from '../storage/stores/thread-event-store.ts';
import { type EventRow, timelineBackwards } from '../storage/stores/timeline-store.ts';
import type { PushContext } from './context.ts';
import { EventOutcomes, joinedMembers } from './outcomes.ts';

export interface NotificationsRequest {
  /** A token of the page before; undefined: from now on. */
  readonly from: string | undefined;
  readonly limit: number;
  /** Only those that are highlighted. */
  readonly onlyHighlights: boolean;
}
export interface NotificationsPage {
  readonly notifications: readonly JsonObject[];
  /** Absent: there are no more. */
  readonly next_token?: string;
}

type Reader = Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>;
type Context = Pick<PushContext, 'db' | 'rooms' | 'unread' | 'pushRules' | 'clock'>;

/**
 * A page may have fewer than `limit`, or none, and go on all the same: it looks at a bounded number of events. Throws 400
 * M_INVALID_PARAM for a token that is none.
 */
export async function listNotifications(
  ctx: Context,
  reader: Reader,
  request: NotificationsRequest,
): Promise<NotificationsPage> {
  const before = request.from === undefined ? Number.MAX_SAFE_INTEGER : parseTimelineToken(request.from);
  if (before === undefined) throw invalidParam('from is not a token of a page of notifications');
  const limit = Math.max(1, Math.min(request.limit, limits.notificationsMax));
  const rooms = await ctx.db.all(notifyingRooms, { user: reader.userNid, before });
  const timelines = rooms.map((room) => new NotifyingTimeline(ctx, reader, room));
  const found: Found[] = [];
  for (let scanned = 0; scanned < limits.notificationsScannedMax && found.length < limit; scanned++) {
    const newest = timelineWithNewest(timelines);
    if (newest === undefined) return { notifications: await told(ctx, reader, found) };
    const event = await newest.next();
    if (event?.outcome.notify === true && (event.outcome.highlight || !request.onlyHighlights)) found.push(event);
  }
  const token = timelineWithNewest(timelines)?.newestOrd;
  const notifications = await told(ctx, reader, found);
  return token === undefined ? { notifications } : { notifications, next_token: formatTimelineToken(token + 1) };
}

interface Found {
  readonly row: EventRow;
  readonly ord: number;
  readonly outcome: PushOutcome;
  readonly tsMs: number;
}

function timelineWithNewest(timelines: readonly NotifyingTimeline[]): NotifyingTimeline | undefined {
  let found: NotifyingTimeline | undefined;
  for (const timeline of timelines)
    if (timeline.newestOrd !== undefined && timeline.newestOrd > (found?.newestOrd ?? -Infinity)) found = timeline;
  return found;
}

const eventsPerRead = 50;

/** One room from its newest event backwards, to where the user came in. */
class NotifyingTimeline {
  /** The place of the event that `next` gives; undefined: there is none. */
  newestOrd: number | undefined;
  readonly #ctx: Context;
  readonly #reader: Reader;
  readonly #room: NotifyingRoom;
  readonly #afterOrd: number;
  #rows: EventRow[] = [];
  #members: number | undefined;

  constructor(ctx: Context, reader: Reader, room: NotifyingRoom) {
    this.#ctx = ctx;
    this.#reader = reader;
    this.#room = room;
    // Of a room that one is invited to only the invite is told.
    this.#afterOrd = firstOrdAfter(room.membership === 'join' ? room.pos : room.pos - 1) - 1;
    this.newestOrd = room.newest === null || room.newest <= this.#afterOrd ? undefined : room.newest;
  }

  /** undefined: it is nothing that anybody is notified of. */
  async next(): Promise<Found | undefined> {
    const row = await this.#take();
    if (row === undefined) return undefined;
    const { ctx, room } = { ctx: this.#ctx, room: this.#room };
    const dag = await ctx.rooms.dags.openByNid(room.room);
    const event = roomEventFromPdu(pduOf(row), dag.rules, row.event_id as EventId);
    if (event.originServerTs < ctx.clock.nowMs() - limits.notificationAgeMs) {
      this.newestOrd = undefined;
      return undefined;
    }
    const isHidden = room.membership === 'invite' && row.nid !== room.event;
    if (isHidden || row.ord === null || (row.flags & EventFlag.redacted) !== 0) return undefined;
    this.#members ??= await joinedMembers(ctx.rooms, room.room);
    const outcomes = await EventOutcomes.of(ctx, dag, event, this.#members);
    return { row, ord: row.ord, outcome: await outcomes.for(this.#reader), tsMs: event.originServerTs };
  }

  async #take(): Promise<EventRow | undefined> {
    if (this.newestOrd === undefined) return undefined;
    if (this.#rows.length === 0) {
      const range = { before: this.newestOrd + 1, after: this.#afterOrd };
      this.#rows = await this.#ctx.db.all(timelineBackwards, { room: this.#room.room, ...range, limit: eventsPerRead });
    }
    const row = this.#rows.shift();
    // The next one may be in a page that is not read yet; if there is none, that page will be empty.
    const nextOrd = this.#rows[0]?.ord ?? (row?.ord == null ? undefined : row.ord - 1);
    this.newestOrd = nextOrd !== undefined && nextOrd > this.#afterOrd ? nextOrd : undefined;
    return row;
  }
}

/** As clients get them, in the order in which they were found. */
async function told(ctx: Context, reader: Reader, found: readonly Found[]): Promise<JsonObject[]> {
  const made = new Map<Found, JsonObject>();
  for (const [room, ofRoom] of Map.groupBy(found, ({ row }) => row.room)) {
    const { userNid, deviceNid } = reader;
    const timeline = await loadVisibility(ctx.rooms, room, reader.userId);
    const rows = ofRoom.map(({ row }) => row);
    const events = await plainEvents(ctx.rooms, rows, { userNid, deviceNid, timeline });
    const readOrds = await ctx.unread.readOrds(reader, room);
    for (const [index, each] of ofRoom.entries()) {
      const { room_id: roomId, ...event } = events[index] ?? {};
      const thread = (await ctx.db.one(threadAt, { room, ord: each.ord }))?.root ?? mainThread;
      const read = each.ord <= readOrds(thread);
      made.set(each, { room_id: roomId ?? '', event, read, actions: [...each.outcome.actions], ts: each.tsMs });
    }
  }
  return found.map((each) => made.get(each)).filter((notification) => notification !== undefined);
}
