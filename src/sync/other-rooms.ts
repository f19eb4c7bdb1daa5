/** `rooms.invite`, `rooms.knock` and `rooms.leave` of one room. */
import { includesRoom, matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { type VisibilityTimeline, lastJoinedSpan, membershipAt } from '../rooms/history-visibility.ts';
import { stateRow } from '../rooms/read-state.ts';
import type { AccountDataRow } from '../storage/stores/account-data-store.ts';
import { strippedState } from '../storage/stores/membership-store.ts';
import { accountDataText } from './account-data-text.ts';
import { type EventFragment, renderEvent } from './event-fragments.ts';
import { foreignDepartureEvent } from './foreign-departure.ts';
import { timelineText } from './joined-room.ts';
import { RoomReader } from './room-reader.ts';
import { type StateWish, isStateAfter, lazyMembers, loadState, stateField, stateText } from './room-state.ts';
import { type RoomTimeline, type TimelineEvent, loadTimeline, timelineLimit } from './room-timeline.ts';
import type { RoomStanding } from './sync-user.ts';
import type { SyncPass } from './sync-request.ts';

export interface RoomText {
  readonly roomId: string;
  readonly text: string;
}

/** The stripped state that came with the invite, or was made when knocking. undefined: it was answered meanwhile. */
export async function strippedRoom(
  pass: SyncPass,
  standing: RoomStanding,
  name: 'invite_state' | 'knock_state',
): Promise<RoomText | undefined> {
  const { room } = standing;
  const { roomId } = await pass.ctx.rooms.dags.openByNid(room);
  const row = await pass.ctx.rooms.db.one(strippedState, { user: pass.user.userNid, room });
  return row && { roomId, text: `{"${name}":{"events":${row.json}}}` };
}

/**
 * What happened until the reader left, and not a moment longer; and that they are gone, or banned. Whoever rejected an
 * invite, or was banned from outside, never was in the room and is told nothing else of it; nor is whoever has forgotten it, whose other devices still learn that it
 * was left.
 */
export async function leftRoom(
  pass: SyncPass,
  standing: RoomStanding,
  accountData: readonly AccountDataRow[],
): Promise<RoomText> {
  const { ctx, since, request } = pass;
  const dag = await ctx.rooms.dags.openByNid(standing.room);
  const reader = new RoomReader(ctx.rooms, standing.room, request.requester.userId, Infinity);
  const visibility = await reader.visibility();
  const span = lastJoinedSpan(visibility, standing.pos);
  // Who is invited again, and is not to know it, is told of the departure.
  const isInvited = standing.membership === 'invite';
  const own = await ownEvent(pass, dag, reader, visibility, isInvited ? (span?.endPos ?? pass.now) : pass.now);
  const seen =
    span === undefined || span.endPos <= since || standing.isForgotten
      ? { timeline: nothingSeen, state: [] }
      : await untilEnd(pass, { dag, reader, visibility, own, until: span.endPos });
  const timeline = withOwnEvent(pass, dag, seen.timeline, own);
  const state = isStateAfter(pass) && own !== undefined ? withOwnState(seen.state, own.fragment) : seen.state;
  const texts = await stateText(pass, { dag, reader }, state);
  const { accountData: filter } = request.filter.room;
  const data = includesRoom(filter, dag.roomId) ? accountDataText(accountData, filter) : [];
  return {
    roomId: dag.roomId,
    text: `{"timeline":${timelineText(timeline)},"${stateField(pass)}":{"events":[${texts.join()}]},"account_data":{"events":[${data.join()}]}}`,
  };
}

const nothingSeen: RoomTimeline = { events: [], limited: false, prevBatch: 0, otherStateChanged: false };

interface StayView {
  readonly dag: RoomDag;
  readonly reader: RoomReader;
  readonly visibility: VisibilityTimeline;
  /** What is told after the end. */
  readonly own: TimelineEvent | undefined;
  readonly until: number;
}

async function untilEnd(
  pass: SyncPass,
  { dag, reader, visibility, own, until }: StayView,
): Promise<{ readonly timeline: RoomTimeline; readonly state: readonly EventFragment[] }> {
  const { since, request } = pass;
  const wasKnown = since >= 0 && membershipAt(visibility, since) === 'join';
  const knownSince = wasKnown ? since : -1;
  const loaded = await loadTimeline(pass, { dag, reader, since: knownSince, until, visibility });
  const timeline = withRoomFor(pass, dag, loaded, own);
  const wish: StateWish = { dag, reader, timeline, since: knownSince, until, full: !wasKnown || request.fullState };
  const state = await loadState(pass, wish);
  const members = await lazyMembers(pass, wish, state, []);
  return { timeline, state: [...state, ...members] };
}

/** Who takes the state from what is told as state alone is told there, too, that they are gone. */
function withOwnState(state: readonly EventFragment[], own: EventFragment): EventFragment[] {
  return [...state.filter(({ type, stateKey }) => type !== own.type || stateKey !== own.stateKey), own];
}

/** Whether it is told beside what is in the timeline. */
function isTold(
  { request: { filter } }: SyncPass,
  { roomId }: RoomDag,
  { events }: RoomTimeline,
  own: TimelineEvent | undefined,
): own is TimelineEvent {
  const wish = filter.room.timeline;
  if (own === undefined || timelineLimit(wish) === 0 || events.some((event) => event.nid === own.nid)) return false;
  return includesRoom(wish, roomId) && matchesRoomEventFilter(wish, own.fragment);
}

/** The state goes with what is left. */
function withRoomFor(
  pass: SyncPass,
  dag: RoomDag,
  timeline: RoomTimeline,
  own: TimelineEvent | undefined,
): RoomTimeline {
  const surplus = timeline.events.length + 1 - timelineLimit(pass.request.filter.room.timeline);
  if (surplus <= 0 || !isTold(pass, dag, timeline, own)) return timeline;
  const events = timeline.events.slice(surplus);
  return { events, limited: true, prevBatch: events[0]?.ord ?? own.ord, otherStateChanged: true };
}

function withOwnEvent(
  pass: SyncPass,
  dag: RoomDag,
  timeline: RoomTimeline,
  own: TimelineEvent | undefined,
): RoomTimeline {
  if (!isTold(pass, dag, timeline, own)) return timeline;
  const events = [...timeline.events, own];
  return { ...timeline, events, prevBatch: events[0]?.ord ?? own.ord };
}

/** The reader's membership event: they may always know of it. */
async function ownEvent(
  pass: SyncPass,
  dag: RoomDag,
  reader: RoomReader,
  visibility: VisibilityTimeline,
  pos: number,
): Promise<TimelineEvent | undefined> {
  const { ctx, request, nowMs } = pass;
  const foreign = await foreignDepartureEvent(ctx, dag, pass.user.userNid, nowMs);
  if (foreign !== undefined) return foreign;
  const row = await stateRow(ctx.rooms, dag, pos, 'm.room.member', request.requester.userId);
  const [fragment] = row === undefined ? [] : await ctx.fragments.ofRows([row], reader);
  // Where two branches of the room met, somebody may be out of it without an event that says so.
  if (row?.ord == null || fragment === undefined) return undefined;
  const fields = { membership: membershipAt(visibility, pos) ?? 'leave', seesPrevious: false };
  return { nid: row.nid, ord: row.ord, fragment, text: renderEvent(fragment, nowMs, fields) };
}
