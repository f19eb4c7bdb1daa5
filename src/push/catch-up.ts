/** What pushers were not told while nobody looked: events are read back from the rooms of their users. */
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { pduOf } from '../rooms/stored-event.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { invitesOfUsers, roomsWithNews } from '../storage/stores/pusher-store.ts';
import { type EventRow, eventsByNids, timelineBackwards } from '../storage/stores/timeline-store.ts';
import type { PushContext } from './context.ts';
import { EventOutcomes } from './outcomes.ts';
import type { PendingPush, Queue } from './queue.ts';
import type { PushUser } from './push-user.ts';

export interface CatchUpTarget {
  readonly queue: Queue;
  /** It was told, or did not need to be, of everything up to here. */
  readonly from: number;
  /** What comes after it hears of otherwise. */
  readonly upTo: number;
}

const roomsPerRead = 500;
const usersPerRead = 500;
const eventsPerRead = 200;

/** Gives the queues what they miss; does not start them. `isOver`: the server ends. */
export async function catchUp(
  ctx: PushContext,
  targets: readonly CatchUpTarget[],
  isOver: () => boolean,
): Promise<void> {
  const found = new Map<Queue, PendingPush[]>();
  const open = targets.filter(({ queue, from, upTo }) => queue.isEnabled && from < upTo);
  const byRoom = targetsByRoom(open);
  const oldest = Math.min(...open.map(({ from }) => from));
  const rooms = [...byRoom.keys()];
  for (let i = 0; i < rooms.length && !isOver(); i += roomsPerRead) {
    const wish = { rooms: rooms.slice(i, i + roomsPerRead), after: firstOrdAfter(oldest) - 1 };
    for (const { room } of await ctx.db.all(roomsWithNews, wish))
      await lookAtRoom(ctx, room, byRoom.get(room) ?? [], found);
  }
  if (!isOver()) await lookAtInvites(ctx, open, oldest, found);
  for (const [queue, pushes] of found) queue.addEarlier(pushes);
}

function targetsByRoom(targets: readonly CatchUpTarget[]): ReadonlyMap<number, CatchUpTarget[]> {
  const byRoom = new Map<number, CatchUpTarget[]>();
  for (const target of targets)
    for (const room of target.queue.user.rooms.keys()) {
      const list = byRoom.get(room);
      if (list === undefined) byRoom.set(room, [target]);
      else list.push(target);
    }
  return byRoom;
}

async function lookAtRoom(
  ctx: PushContext,
  room: number,
  targets: readonly CatchUpTarget[],
  found: Map<Queue, PendingPush[]>,
): Promise<void> {
  const after = firstOrdAfter(Math.min(...targets.map(({ from }) => from))) - 1;
  let before = firstOrdAfter(Math.max(...targets.map(({ upTo }) => upTo)));
  for (let events = 0; events < limits.pushCatchUpEventsMax; events += eventsPerRead) {
    const rows = await ctx.db.all(timelineBackwards, { room, before, after, limit: eventsPerRead });
    for (const row of rows) {
      const concerned = targets.filter(({ from, upTo }) => from < (row.pos ?? 0) && (row.pos ?? 0) <= upTo);
      if (!(await lookAtEvent(ctx, row, concerned, found))) return;
    }
    if (rows.length < eventsPerRead) return;
    before = rows.at(-1)?.ord ?? 0;
  }
}

/** false: it is too old, and so is what came before it. */
async function lookAtEvent(
  ctx: PushContext,
  row: EventRow,
  targets: readonly CatchUpTarget[],
  found: Map<Queue, PendingPush[]>,
): Promise<boolean> {
  const { room, nid, pos, ord } = row;
  const dag = await ctx.rooms.dags.openByNid(room);
  const event = roomEventFromPdu(pduOf(row), dag.rules, row.event_id as EventId);
  const tsMs = event.originServerTs;
  if (tsMs < ctx.clock.nowMs() - limits.pushAgeMs) return false;
  if (pos === null || ord === null || (row.flags & EventFlag.redacted) !== 0 || targets.length === 0) return true;
  const outcomes = await EventOutcomes.of(ctx, dag, event);
  for (const { queue } of targets) {
    if (!wasThere(queue.user, room, pos)) continue;
    const { notify, tweaks } = await outcomes.for(queue.user);
    if (!notify) continue;
    const pushes = found.get(queue) ?? [];
    pushes.push({ room, nid, pos, ord, tweaks, tsMs });
    found.set(queue, pushes);
  }
  return true;
}

/** Or is invited by it. */
function wasThere(user: PushUser, room: number, pos: number): boolean {
  const since = user.rooms.get(room);
  return since === undefined || since <= pos;
}

async function lookAtInvites(
  ctx: PushContext,
  targets: readonly CatchUpTarget[],
  after: number,
  found: Map<Queue, PendingPush[]>,
): Promise<void> {
  const byUser = Map.groupBy(targets, ({ queue }) => queue.user.userNid);
  const users = [...byUser.keys()];
  for (let i = 0; i < users.length; i += usersPerRead) {
    const invites = await ctx.db.all(invitesOfUsers, { users: users.slice(i, i + usersPerRead), after });
    for (const { user_nid: userNid, event } of invites) {
      const [row] = await ctx.db.all(eventsByNids, { nids: [event] });
      const concerned = (byUser.get(userNid) ?? []).filter(
        ({ from, upTo }) => row?.pos != null && from < row.pos && row.pos <= upTo,
      );
      if (row !== undefined) await lookAtEvent(ctx, row, concerned, found);
    }
  }
}
