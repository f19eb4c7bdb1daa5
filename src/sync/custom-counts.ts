/**
 * Unread counts of those who changed their push rules: their rules are asked about each event since they last read. What was
 * counted is kept, so that each event is looked at once per reader.
 */
import type { CompiledPushRules } from '../matrix/push-rules/compile-push-rules.ts';
import { pushEventOf } from '../matrix/push-rules/push-event.ts';
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import type { EventId, UserId } from '../matrix/ids/ids.ts';
import { pushRoomOf } from '../rooms/mentions.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { pduOf } from '../rooms/stored-event.ts';
import { isFollowed } from '../rooms/thread-subscriptions.ts';
import { mainThread } from '../rooms/threads.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { threadEventsBetween } from '../storage/stores/thread-event-store.ts';
import { timelineForwards } from '../storage/stores/timeline-store.ts';
import { joinedMembers } from './room-summary.ts';
import { type ReadPlaces, type ThreadCounts, type UnreadCounts, readOrdIn } from './thread-counts.ts';

export interface CustomCounts {
  readonly threads: ThreadCounts;
  /** Events up to here are counted. */
  readonly countedOrd: number;
}

export const noCounts = (countedOrd: number): CustomCounts => ({ threads: new Map(), countedOrd });

interface CustomReader {
  readonly userId: UserId;
  readonly userNid: number;
  readonly places: ReadPlaces;
  /** Who does not count. */
  readonly ignored: ReadonlySet<string>;
}

/** Further events are not counted: nobody reads a number that large. */
const countedEventsMax = 10_000;
const sliceEvents = 200;

export async function extendCounts(
  ctx: RoomsContext,
  dag: RoomDag,
  reader: CustomReader,
  rules: CompiledPushRules,
  from: CustomCounts,
  now: number,
): Promise<CustomCounts> {
  const member = await dag.currentEvent('m.room.member', reader.userId);
  const displayName = member?.content['displayname'];
  const recipient = { userId: reader.userId, displayName: typeof displayName === 'string' ? displayName : undefined };
  const follows = rules.readsThread ? followedThreads(ctx, dag.room, reader.userNid) : undefined;
  const threads = new Map(from.threads);
  let { countedOrd } = from;
  const memberCount = await joinedMembers(ctx, dag.room);
  for (let counted = 0; counted < countedEventsMax; counted += sliceEvents) {
    const rows = await ctx.db.all(timelineForwards, {
      room: dag.room,
      after: countedOrd,
      before: firstOrdAfter(now),
      limit: sliceEvents,
    });
    const threadOf = await threadsOf(ctx, dag.room, countedOrd, rows.at(-1)?.ord);
    for (const row of rows) {
      countedOrd = row.ord ?? countedOrd;
      // Nobody is notified of what they sent, or of what was taken back.
      if (row.sender === reader.userNid || (row.flags & EventFlag.redacted) !== 0) continue;
      const thread = threadOf.get(countedOrd) ?? mainThread;
      if (countedOrd <= readOrdIn(reader.places, thread)) continue;
      const event = roomEventFromPdu(pduOf(row), dag.rules, row.event_id as EventId);
      if (reader.ignored.has(event.sender)) continue;
      const followsThread = thread === mainThread ? undefined : await follows?.(thread);
      const room = await pushRoomOf(dag, event, memberCount);
      const outcome = rules.evaluate(pushEventOf(event), room, { ...recipient, followsThread });
      const { notification, highlight } = threads.get(thread) ?? noUnread;
      threads.set(thread, {
        notification: notification + (outcome.notify ? 1 : 0),
        highlight: highlight + (outcome.highlight ? 1 : 0),
      });
    }
    if (rows.length < sliceEvents) break;
  }
  return { threads, countedOrd };
}

const noUnread: UnreadCounts = { notification: 0, highlight: 0 };

/** Whether a user follows a thread; each thread is looked up once. */
function followedThreads(ctx: RoomsContext, room: number, userNid: number): (thread: string) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async (thread) => {
    const found = known.get(thread) ?? (await isFollowed(ctx.db, userNid, room, thread));
    known.set(thread, found);
    return found;
  };
}

/** By place, of events in threads. */
async function threadsOf(
  ctx: RoomsContext,
  room: number,
  after: number,
  upTo: number | null | undefined,
): Promise<ReadonlyMap<number, string>> {
  if (upTo == null) return new Map();
  const rows = await ctx.db.all(threadEventsBetween, { room, after, before: upTo + 1, limit: sliceEvents });
  return new Map(rows.map((row) => [row.ord, row.root]));
}
