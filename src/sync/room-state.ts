/** The state that a client needs before the timeline of one room in one response. */
import { matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { stateDelta, stateNids, stateRow } from '../rooms/read-state.ts';
import { type EventFragment, renderEvent } from './event-fragments.ts';
import type { RoomTimeline } from './room-timeline.ts';
import type { SyncPass } from './sync-request.ts';

/** Events as text. `full`: the whole state at the start of the timeline; otherwise what changed between `since` and there. */
export async function loadState(
  pass: SyncPass,
  dag: RoomDag,
  timeline: RoomTimeline,
  since: number,
  until: number,
  full: boolean,
): Promise<string[]> {
  const { ctx, request } = pass;
  const lazy = request.filter.room.state.lazyLoadMembers || request.filter.room.timeline.lazyLoadMembers;
  const start = timeline.events[0] === undefined ? until : timeline.events[0].pos - 1;
  const inTimeline = new Set(timeline.events.map((event) => event.nid));
  let fragments: EventFragment[] = [];
  if (full || timeline.otherStateChanged) {
    const nids = full
      ? await stateNids(ctx.rooms, dag, start, lazy ? 'without-members' : 'all')
      : await changedNids(pass, dag, since, start, until, inTimeline);
    fragments = await ctx.fragments.ofNids(nids.filter((nid) => !inTimeline.has(nid)));
    if (lazy && !full) fragments = fragments.filter((fragment) => fragment.type !== 'm.room.member');
  }
  if (lazy) fragments.push(...(await lazyMembers(pass, dag, timeline, start, full)));
  return fragments
    .filter((fragment) => matchesRoomEventFilter(request.filter.room.state, fragment))
    .map((fragment) => renderEvent(fragment, pass.nowMs, {}));
}

/**
 * Keys with a row between `since` and the start of the timeline, with their value there; and keys that changed later by
 * no event of the timeline (two branches of the room met), with their value now.
 */
async function changedNids(
  pass: SyncPass,
  dag: RoomDag,
  since: number,
  start: number,
  until: number,
  inTimeline: ReadonlySet<number>,
): Promise<number[]> {
  const { rooms } = pass.ctx;
  const before = start > since ? await stateDelta(rooms, dag, since, start) : new Map<number, number | null>();
  const within = await stateDelta(rooms, dag, Math.max(since, start), until);
  const nids = new Map(before);
  for (const [skey, nid] of within) if (nid !== null && !inTimeline.has(nid)) nids.set(skey, nid);
  return [...nids.values()].filter((nid) => nid !== null);
}

/** The memberships of those who sent something, and in a whole state the reader's own. */
async function lazyMembers(
  pass: SyncPass,
  dag: RoomDag,
  timeline: RoomTimeline,
  pos: number,
  full: boolean,
): Promise<EventFragment[]> {
  const { ctx, request } = pass;
  const { userId, deviceNid } = request.requester;
  const senders = new Set(timeline.events.map((event) => event.fragment.sender));
  if (full) senders.add(userId);
  for (const { fragment } of timeline.events)
    if (fragment.type === 'm.room.member' && fragment.stateKey !== undefined) senders.delete(fragment.stateKey);
  const redundant = request.filter.room.state.includeRedundantMembers;
  const wanted = redundant ? [...senders] : ctx.lazyMembers.unsent(deviceNid, dag.room, senders);
  const rows = await Promise.all(wanted.map((sender) => stateRow(ctx.rooms, dag, pos, 'm.room.member', sender)));
  return ctx.fragments.ofRows(rows.filter((row) => row !== undefined));
}
