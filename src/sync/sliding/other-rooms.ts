/** What is told of rooms that the user is not in: invites, knocks, and rooms that they have left or were sent away from. */
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { type VisibilityTimeline, lastJoinedSpan, membershipAt } from '../../rooms/history-visibility.ts';
import { formatTimelineToken, posAt } from '../../rooms/pagination-token.ts';
import { memberRows, stateRow } from '../../rooms/read-state.ts';
import { strippedState } from '../../storage/stores/membership-store.ts';
import { type EventFragment, renderEvent } from '../event-fragments.ts';
import { foreignDepartureEvent } from '../foreign-departure.ts';
import { type TimelineEvent, loadTimeline } from '../room-timeline.ts';
import { RoomReader } from '../room-reader.ts';
import type { Candidate } from './candidates.ts';
import { type RoomRecord, toldUpTo } from './connection.ts';
import { type RoomTold, listNames, peopleIn } from './room-view.ts';
import type { RoomResult } from './room-result.ts';
import { type SlidingPass, syncPassOf } from './sliding-pass.ts';
import { requiredNids, stateTexts } from './state-news.ts';

/** The stripped state that came with the invite, or was made when knocking. */
export async function strippedRoom(pass: SlidingPass, candidate: Candidate): Promise<RoomTold> {
  const { standing, record } = candidate;
  const told = recordOf(pass, candidate);
  const isNew =
    record === undefined || record.standingPos !== standing.pos || record.membership !== standing.membership;
  const row = await pass.ctx.sync.rooms.db.one(strippedState, { user: pass.user.userNid, room: standing.room });
  // It was answered meanwhile: the next pass tells how.
  if (row === undefined) return { result: undefined, record: { ...told, standingPos: -1 } };
  if (!isNew && record.isDm === candidate.isDm) return { result: undefined, record: told };
  const result: RoomResult = { ...plainResult(pass, candidate), isInitial: isNew, strippedState: row.json };
  return { result, record: told };
}

/**
 * What happened until the user was out of the room, and not a moment longer; and that they are. Whoever never was in the room
 * is told nothing else of it.
 */
export async function leftRoom(pass: SlidingPass, candidate: Candidate): Promise<RoomTold> {
  const { standing, record } = candidate;
  const told = recordOf(pass, candidate);
  if (record?.standingPos === standing.pos && record.membership === standing.membership)
    return { result: undefined, record: told };
  const { rooms } = pass.ctx.sync;
  const dag = await rooms.dags.openByNid(standing.room);
  const reader = new RoomReader(rooms, standing.room, pass.userId, Infinity);
  const visibility = await reader.visibility();
  const span = lastJoinedSpan(visibility, standing.pos);
  const isSeen = span !== undefined && !standing.isForgotten;
  const wasJoined =
    record?.membership === 'join' && isSeen && membershipAt(visibility, toldUpTo(pass, record)) === 'join';
  const view: LeftView = { pass, candidate, dag, reader, visibility, from: wasJoined ? toldUpTo(pass, record) : -1 };
  const own = await ownEvent(view);
  const seen = isSeen ? await untilEnd(view, span.endPos) : nothingSeen;
  const isTold = own === undefined || seen.events.some(({ nid }) => nid === own.nid);
  const events = isTold ? seen.events : [...seen.events, own];
  const state = seen.state.filter(({ stateKey, type }) => type !== 'm.room.member' || stateKey !== pass.userId);
  const { timelineLimit } = candidate.config;
  const kept = events.slice(Math.max(0, events.length - timelineLimit));
  const result: RoomResult = {
    ...plainResult(pass, candidate),
    isInitial: !wasJoined,
    requiredState: await stateTexts(pass, reader, own === undefined ? state : [...state, own.fragment]),
    timeline:
      timelineLimit === 0
        ? undefined
        : {
            events: kept.map(({ text }) => text),
            isLimited: seen.isLimited || kept.length < events.length,
            prevBatch: formatTimelineToken(kept[0]?.ord ?? 0),
            numLive: pass.since < 0 ? 0 : kept.filter(({ ord }) => posAt(ord) > pass.since).length,
          },
  };
  return { result, record: told };
}

interface LeftView {
  readonly pass: SlidingPass;
  readonly candidate: Candidate;
  readonly dag: RoomDag;
  readonly reader: RoomReader;
  readonly visibility: VisibilityTimeline;
  /** -1: the client does not know the room as a joined one. */
  readonly from: number;
}

interface Seen {
  readonly events: readonly TimelineEvent[];
  readonly isLimited: boolean;
  readonly state: readonly EventFragment[];
}
const nothingSeen: Seen = { events: [], isLimited: false, state: [] };

async function untilEnd({ pass, candidate, dag, reader, visibility, from }: LeftView, until: number): Promise<Seen> {
  const { required, timelineLimit } = candidate.config;
  const { rooms, fragments } = pass.ctx.sync;
  const syncPass = syncPassOf(pass, timelineLimit, pass.since);
  const { events, limited } = await loadTimeline(syncPass, { dag, reader, since: from, until, visibility });
  const isWanted = required.matches.bind(required);
  const nids =
    from < 0
      ? await requiredNids(pass, dag.room, until, required, ({ type, key }) => isWanted(type, key))
      : await changedNids(pass, dag.room, from, until, isWanted);
  const state = await fragments.ofNids([...nids], reader);
  if (!required.lazyMembers) return { events, isLimited: limited, state };
  const told = new Set(state.flatMap(({ type, stateKey }) => (type === 'm.room.member' ? (stateKey ?? []) : [])));
  const known = from < 0 ? undefined : pass.connection.membersToldOf(dag.room);
  const people = [...peopleIn(events.map(({ fragment }) => fragment))];
  const missing = people.filter((userId) => !told.has(userId) && known?.has(userId) !== true);
  const members = await fragments.ofRows(await memberRows(rooms, dag, until, missing), reader);
  return { events, isLimited: limited, state: [...state, ...members] };
}

async function changedNids(
  { ctx }: SlidingPass,
  room: number,
  from: number,
  until: number,
  isWanted: (type: string, key: string) => boolean,
): Promise<number[]> {
  if (from >= until) return [];
  const { states, names } = ctx.sync.rooms;
  const delta = [...(await states.delta(room, from, until))];
  const keys = await names.stateKeysOf(delta.map(([skey]) => skey));
  return delta.flatMap(([, nid], index) => {
    const key = keys[index];
    return nid !== null && key !== undefined && isWanted(key.type, key.key) ? nid : [];
  });
}

/** The user's membership event: they may always know of it. */
async function ownEvent({ pass, dag, reader, visibility }: LeftView): Promise<TimelineEvent | undefined> {
  const { ctx, now, nowMs, userId } = pass;
  const foreign = await foreignDepartureEvent(ctx.sync, dag, pass.user.userNid, nowMs);
  if (foreign !== undefined) return foreign;
  const row = await stateRow(ctx.sync.rooms, dag, now, 'm.room.member', userId);
  const [fragment] = row === undefined ? [] : await ctx.sync.fragments.ofRows([row], reader);
  // Where two branches of the room met, somebody may be out of it without an event that says so.
  if (row?.ord == null || fragment === undefined) return undefined;
  const fields = { membership: membershipAt(visibility, now) ?? 'leave', seesPrevious: false };
  return { nid: row.nid, ord: row.ord, fragment, text: renderEvent(fragment, nowMs, fields) };
}

function plainResult(pass: SlidingPass, candidate: Candidate): RoomResult {
  const { standing, isDm, roomId } = candidate;
  return {
    room: standing.room,
    roomId,
    membership: standing.membership,
    lists: listNames(pass, candidate),
    isInitial: true,
    isDm: isDm || undefined,
    bumpStamp: standing.pos,
    unread: { notification: 0, highlight: 0 },
  };
}

function recordOf(pass: SlidingPass, { standing, record, config, isDm }: Candidate): RoomRecord {
  return {
    membership: standing.membership,
    standingPos: standing.pos,
    events: 'all',
    receipts: 'all',
    accountData: record?.accountData ?? 'never',
    timelineLimit: config.timelineLimit,
    firstOrd: Number.MAX_SAFE_INTEGER,
    required: pass.connection.shared(config.required),
    isDm,
    bumpStamp: standing.pos,
    notification: 0,
    highlight: 0,
  };
}
