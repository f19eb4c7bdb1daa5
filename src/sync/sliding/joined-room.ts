/** What is told of a room that the user is in. */
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { formatTimelineToken, posAt } from '../../rooms/pagination-token.ts';
import { RoomReader } from '../room-reader.ts';
import { memberTotals } from '../room-summary.ts';
import { type RoomTimeline, loadTimeline } from '../room-timeline.ts';
import { unreadCounts } from '../unread-counts.ts';
import { isBump } from './bump-stamps.ts';
import type { Candidate } from './candidates.ts';
import { type SlidingLook, isToldAnew } from './room-looks.ts';
import { type RoomRecord, toldUpTo } from './connection.ts';
import { type JoinedView, type RoomTold, listNames } from './room-view.ts';
import type { RoomResult, TimelineResult } from './room-result.ts';
import { heroesOf } from './room-heroes.ts';
import { type StateNews, loadStateNews } from './state-news.ts';
import { type SlidingPass, syncPassOf } from './sliding-pass.ts';

/** `look`: what was read of the room already. */
export async function joinedRoom(pass: SlidingPass, candidate: Candidate, look?: SlidingLook): Promise<RoomTold> {
  const { standing, record, change, config } = candidate;
  const dag = await pass.ctx.sync.rooms.dags.openByNid(standing.room);
  const reader = new RoomReader(pass.ctx.sync.rooms, standing.room, pass.userId, standing.pos);
  if (look !== undefined) reader.knows(look.visibility);
  const isInitial = isToldAnew(candidate);
  const from = isInitial ? -1 : toldUpTo(pass, record);
  const view: JoinedView = { pass, candidate, dag, reader, look, isInitial, from };
  const hasEvents = isInitial || change === undefined || change.eventPos > from || from < pass.since;
  const live = hasEvents ? await liveTimeline(view) : undefined;
  const expanded = isInitial ? undefined : await expandedTimeline(view, live);
  const state = await loadStateNews(view, expanded ?? live, live);
  const meta = await roomMeta(view, state, live);
  const timeline = timelineResult(view, expanded ?? live, live);
  const counts = await countsOf(view);
  const before = isInitial ? undefined : record;
  const isChanged =
    isInitial ||
    (timeline !== undefined && (timeline.events.length > 0 || timeline.isLimited)) ||
    state.texts.length + state.removed.length > 0 ||
    (live !== undefined && live.events.length > 0) ||
    meta.bumpStamp !== before?.bumpStamp ||
    before?.isDm !== candidate.isDm ||
    before.notification !== counts.notification ||
    before.highlight !== counts.highlight;
  const result: RoomResult | undefined = isChanged
    ? {
        room: dag.room,
        roomId: dag.roomId,
        membership: 'join',
        lists: listNames(pass, candidate),
        isInitial,
        isExpanded: expanded !== undefined,
        name: meta.name,
        avatar: meta.avatar,
        heroes: meta.heroes,
        joinedCount: meta.joinedCount,
        invitedCount: meta.invitedCount,
        isDm: isInitial ? candidate.isDm || undefined : before?.isDm === candidate.isDm ? undefined : candidate.isDm,
        requiredState: state.texts,
        removedState: state.removed,
        timeline,
        firstOrd: timeline === undefined ? undefined : firstOrdOf(expanded ?? live),
        unread: counts,
        bumpStamp: meta.bumpStamp === before?.bumpStamp ? undefined : meta.bumpStamp,
      }
    : undefined;
  return {
    result,
    members: state.members,
    record: {
      membership: 'join',
      standingPos: standing.pos,
      events: 'all',
      receipts: before?.receipts ?? 'never',
      accountData: before?.accountData ?? 'never',
      ...timelineKnown(view, live, expanded),
      required: pass.connection.shared(config.required),
      isDm: candidate.isDm,
      bumpStamp: meta.bumpStamp,
      notification: counts.notification,
      highlight: counts.highlight,
    },
  };
}

/** What came since the client was last told of the room. Without a limit there is none to tell, but still something to know. */
async function liveTimeline({
  pass,
  candidate,
  dag,
  reader,
  look,
  isInitial,
  from,
}: JoinedView): Promise<RoomTimeline> {
  const { timelineLimit } = candidate.config;
  const visibility = isInitial ? await reader.visibility() : undefined;
  const syncPass = syncPassOf(pass, timelineLimit, pass.since);
  return loadTimeline(syncPass, { dag, reader, since: from, until: pass.now, look, visibility });
}

/** The newest events, where the client asks for more of them than it has been told. */
async function expandedTimeline(view: JoinedView, live: RoomTimeline | undefined): Promise<RoomTimeline | undefined> {
  const { pass, candidate, dag, reader } = view;
  const { config, record } = candidate;
  if (record === undefined || config.timelineLimit <= record.timelineLimit) return undefined;
  // A gap is followed by as many events as the client asks for.
  if (live?.limited === true) return undefined;
  const syncPass = syncPassOf(pass, config.timelineLimit, pass.since);
  const visibility = await reader.visibility();
  const newest = await loadTimeline(syncPass, { dag, reader, since: -1, until: pass.now, visibility });
  return firstOrdOf(newest) < record.firstOrd ? newest : undefined;
}

const firstOrdOf = (timeline: RoomTimeline | undefined): number => timeline?.events[0]?.ord ?? Number.MAX_SAFE_INTEGER;

/** How far back the client knows the room's newest events without a gap. */
function timelineKnown(
  { candidate, isInitial }: JoinedView,
  live: RoomTimeline | undefined,
  expanded: RoomTimeline | undefined,
): Pick<RoomRecord, 'timelineLimit' | 'firstOrd'> {
  const { record, config } = candidate;
  const { timelineLimit } = config;
  if (expanded !== undefined) return { timelineLimit, firstOrd: firstOrdOf(expanded) };
  if (isInitial || record === undefined || live?.limited === true) return { timelineLimit, firstOrd: firstOrdOf(live) };
  const firstOrd = Math.min(record.firstOrd, firstOrdOf(live));
  return { timelineLimit: Math.max(record.timelineLimit, timelineLimit), firstOrd };
}

function timelineResult(
  { pass, candidate }: JoinedView,
  timeline: RoomTimeline | undefined,
  live: RoomTimeline | undefined,
): TimelineResult | undefined {
  if (timeline === undefined || candidate.config.timelineLimit === 0) return undefined;
  // What was told before and is told again is no gap.
  if (timeline === live && live.events.length === 0 && !live.limited) return undefined;
  return {
    events: timeline.events.map(({ text }) => text),
    isLimited: timeline.limited,
    prevBatch: formatTimelineToken(timeline.prevBatch),
    numLive: pass.since < 0 ? 0 : timeline.events.filter(({ ord }) => posAt(ord) > pass.since).length,
  };
}

interface RoomMeta {
  readonly name: string | null | undefined;
  readonly avatar: string | null | undefined;
  readonly heroes: RoomResult['heroes'];
  readonly joinedCount: number | undefined;
  readonly invitedCount: number | undefined;
  readonly bumpStamp: number;
}

async function roomMeta(view: JoinedView, state: StateNews, live: RoomTimeline | undefined): Promise<RoomMeta> {
  const { pass, dag, look, isInitial, candidate } = view;
  if (look !== undefined) return metaOfLook(view, look);
  const { rooms } = pass.ctx.sync;
  const [nameChanged, avatarChanged] = ['m.room.name', 'm.room.avatar'].map(
    (type) => isInitial || state.hasChanged(type),
  );
  const membersChanged = isInitial || state.hasChanged('m.room.member');
  const name = nameChanged || membersChanged ? await textOf(dag, 'm.room.name', 'name') : undefined;
  const avatar = avatarChanged ? await textOf(dag, 'm.room.avatar', 'url') : undefined;
  const isNamedAfterHeroes = (nameChanged || membersChanged) && name === undefined;
  const totals = membersChanged ? await memberTotals(rooms, dag.room) : undefined;
  const told = candidate.record?.bumpStamp;
  const bumped = live?.events.findLast(({ fragment }) => isBump(fragment.type));
  const isKnown = !isInitial && live?.limited !== true && told !== undefined;
  const bumpStamp = isKnown ? Math.max(told, bumped === undefined ? 0 : posAt(bumped.ord)) : undefined;
  return {
    name: nameChanged ? (name ?? (isInitial ? undefined : null)) : undefined,
    avatar: avatarChanged ? (avatar ?? (isInitial ? undefined : null)) : undefined,
    heroes: isNamedAfterHeroes ? await heroesOf(pass, dag, view.reader) : undefined,
    joinedCount: totals?.joined,
    invitedCount: totals?.invited,
    bumpStamp: bumpStamp ?? (await pass.ctx.bumpStamps.at(dag.room, pass.now)),
  };
}

async function metaOfLook({ pass, dag, reader }: JoinedView, look: SlidingLook): Promise<RoomMeta> {
  return {
    name: look.name,
    avatar: look.avatar,
    heroes: look.heroes && (await heroesOf(pass, dag, reader, look)),
    joinedCount: look.totals.joined,
    invitedCount: look.totals.invited,
    bumpStamp: await pass.ctx.bumpStamps.at(dag.room, pass.now),
  };
}

/** As rooms are named: what is empty is not set. */
async function textOf(dag: RoomDag, type: string, field: string): Promise<string | undefined> {
  const value = (await dag.currentEvent(type, ''))?.content[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

async function countsOf({ pass, dag, look }: JoinedView) {
  const notifySeq = look?.newest[0]?.notify_seq;
  const counter = { userId: pass.userId, user: pass.user, ignored: pass.ignored, notifySeq };
  return (await unreadCounts(pass.ctx.sync, counter, dag, pass.now, false)).room;
}
