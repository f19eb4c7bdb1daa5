/** `rooms.join` of one room. https://spec.matrix.org/v1.19/client-server-api/#syncing */
import type { UserId } from '../matrix/ids/ids.ts';
import { includesRoom, matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { membershipAt } from '../rooms/history-visibility.ts';
import { firstOrdAfter, formatTimelineToken } from '../rooms/pagination-token.ts';
import { type AccountDataRow, accountDataOfRoom } from '../storage/stores/account-data-store.ts';
import { accountDataText } from './account-data-text.ts';
import type { EventFragment } from './event-fragments.ts';
import { ignoredBy, withoutIgnoredUsers } from './ignored-senders.ts';
import type { RoomText } from './other-rooms.ts';
import type { RoomLook } from './first-look.ts';
import { type ReceiptNews, receiptNews, receiptsTold } from './receipt-news.ts';
import { RoomReader } from './room-reader.ts';
import { type StateWish, becameWhole, isLazy, lazyMembers, loadState, stateField, stateText } from './room-state.ts';
import { type RoomSummary, roomSummary } from './room-summary.ts';
import { type RoomTimeline, loadTimeline } from './room-timeline.ts';
import { stickyNews } from './sticky-news.ts';
import type { RoomNews } from './sync-user.ts';
import type { SyncPass } from './sync-request.ts';
import type { UnreadCounts } from './thread-counts.ts';
import { type RoomCounts, unreadCounts } from './unread-counts.ts';

/** undefined: nothing to tell. `look`: what was read of the room already, in a first sync. */
export async function joinedRoom(
  pass: SyncPass,
  { standing, change }: RoomNews,
  changedData: readonly AccountDataRow[],
  look?: RoomLook,
): Promise<RoomText | undefined> {
  const { ctx, since, request } = pass;
  const dag = await ctx.rooms.dags.openByNid(standing.room);
  const reader = new RoomReader(ctx.rooms, standing.room, request.requester.userId, standing.pos);
  if (look !== undefined) reader.knows(look.visibility);
  const wasToCome = !isLazy(pass) && ctx.rooms.partialRooms.isPartialAt(standing.room, since);
  const joined = since < 0 || wasToCome ? 'new' : standing.pos <= since ? 'before' : await joinedSince(reader, since);
  const view: JoinedView = { pass, dag, reader, look, isNew: joined === 'new', isBack: joined === 'back' };
  const full = view.isNew || request.fullState;
  const isKnown = (pos: number | undefined): boolean => pos !== undefined && pos <= since;
  const hasNoEvents = !full && isKnown(change?.eventPos);
  const timeline = hasNoEvents ? noTimeline(pass.now) : await timelineOf(view);
  const state = hasNoEvents ? noState : await stateOf(view, timeline, full);
  // Of what happened while the reader was away nothing was noted.
  const receipts = joined === 'before' && isKnown(change?.receiptPos) ? noReceipts : await receiptsOf(view);
  const typing = typingNews(view);
  const ephemeral = ephemeralText(view, typing ?? [], receipts);
  const data = accountDataText(await accountDataOf(view, changedData), request.filter.room.accountData);
  const sticky = hasNoEvents ? [] : await stickyOf(view, timeline);
  const changes = timeline.events.length + state.text.length + ephemeral.length + data.length + sticky.length;
  const isEmpty = changes === 0;
  if (isEmpty && !timeline.limited && state.summary === undefined && !receipts.isOwn) return undefined;
  // Typing that ended with the process before this one is no news, and goes with other news.
  if (typing === undefined && !ctx.typing.isCompleteAfter(since))
    ephemeral.push(...ephemeralText(view, [[]], noReceipts));

  const byThread = request.filter.room.timeline.unreadThreadNotifications;
  const notifySeq = look?.newest[0]?.notify_seq;
  const counter = { userId: reader.userId, user: pass.user, ignored: ignoredBy(pass), notifySeq };
  const counts = await unreadCounts(ctx, counter, dag, pass.now, byThread);
  const text =
    `{"timeline":${timelineText(timeline)},"${stateField(pass)}":{"events":[${state.text.join()}]}` +
    `,"account_data":{"events":[${data.join()}]},"ephemeral":{"events":[${ephemeral.join()}]}` +
    `,"unread_notifications":${countsText(counts.room)}${threadCountsText(counts)}` +
    stickyText(sticky) +
    `${state.summary === undefined ? '' : `,"summary":${JSON.stringify(state.summary)}`}}`;
  return { roomId: dag.roomId, text };
}

const countsText = ({ notification, highlight }: UnreadCounts): string =>
  `{"notification_count":${notification},"highlight_count":${highlight}}`;

function threadCountsText({ threads }: RoomCounts): string {
  if (threads.length === 0) return '';
  const members = threads.map(([root, counts]) => `${JSON.stringify(root)}:${countsText(counts)}`);
  return `,"unread_thread_notifications":{${members.join()}}`;
}

export function timelineText(timeline: RoomTimeline): string {
  const events = timeline.events.map((event) => event.text).join();
  return `{"events":[${events}],"limited":${timeline.limited},"prev_batch":"${formatTimelineToken(timeline.prevBatch)}"}`;
}

interface JoinedView {
  readonly pass: SyncPass;
  readonly dag: RoomDag;
  readonly reader: RoomReader;
  readonly look: RoomLook | undefined;
  /** The client has not been told of the room as a joined one before `since`. */
  readonly isNew: boolean;
  /** The reader was joined at `since` and has been away in between. */
  readonly isBack: boolean;
}

/** Whether somebody who joined after `since` had been joined at `since` already. */
async function joinedSince(reader: RoomReader, since: number): Promise<'new' | 'back'> {
  return membershipAt(await reader.visibility(), since) === 'join' ? 'back' : 'new';
}

async function timelineOf({ pass, dag, reader, look, isNew, isBack }: JoinedView): Promise<RoomTimeline> {
  // What came before the reader joined is theirs to see or not by the room's history visibility.
  const visibility = isNew || isBack ? await reader.visibility() : undefined;
  const wish = { dag, reader, since: isNew ? -1 : pass.since, until: pass.now, visibility, look };
  const timeline = await loadTimeline(pass, wish);
  // Of a room that is new to the client the past is a gap, as other servers have it: clients page back through it.
  return isNew && pass.since >= 0 ? { ...timeline, limited: true } : timeline;
}

const stickyText = (sticky: readonly string[]): string =>
  sticky.length === 0 ? '' : `,"msc4354_sticky":{"events":[${sticky.join()}]}`;

/** Whoever has just joined gets all that there are. */
function stickyOf(
  { pass, dag, reader, isNew, isBack }: JoinedView,
  timeline: RoomTimeline,
): Promise<readonly string[]> {
  return stickyNews(pass.ctx, {
    room: dag.room,
    reader,
    userNid: pass.user.userNid,
    after: isNew || isBack ? -1 : pass.since,
    until: pass.now,
    nowMs: pass.nowMs,
    ignored: ignoredBy(pass),
    told: timeline.events,
  });
}

const noTimeline = (now: number): RoomTimeline => ({
  events: [],
  limited: false,
  prevBatch: firstOrdAfter(now),
  otherStateChanged: false,
});
interface StateAndSummary {
  readonly text: readonly string[];
  readonly summary: RoomSummary | undefined;
}
const noState: StateAndSummary = { text: [], summary: undefined };
const noReceipts: ReceiptNews = { contents: [], isOwn: false };

async function stateOf(
  { pass, dag, reader, look, isNew }: JoinedView,
  timeline: RoomTimeline,
  full: boolean,
): Promise<StateAndSummary> {
  const since = isNew ? -1 : pass.since;
  const wish: StateWish = { dag, reader, timeline, since, until: pass.now, full, look };
  const state = await loadState(pass, wish);
  const events = [...state, ...timeline.events.map((event) => event.fragment)];
  const summary =
    full || events.some(isSummarised) || becameWhole(pass, wish)
      ? (look?.summary ?? (await roomSummary(pass.ctx.rooms, dag, pass.user.userNid)))
      : undefined;
  const members = await lazyMembers(pass, wish, state, summary?.['m.heroes'] ?? []);
  return { text: await stateText(pass, wish, [...state, ...members]), summary };
}

function receiptsOf({ pass, dag, isNew, look }: JoinedView): Promise<ReceiptNews> {
  const { rooms } = pass.ctx;
  const { userNid } = pass.user;
  if (look !== undefined) return receiptsTold(rooms, look.receipts, userNid, ignoredBy(pass));
  return receiptNews(rooms, dag.room, userNid, isNew ? -1 : pass.since, pass.now, ignoredBy(pass));
}

/** What a summary is made of. */
const isSummarised = ({ type }: EventFragment): boolean =>
  type === 'm.room.member' || type === 'm.room.name' || type === 'm.room.canonical_alias';

/** Each a list of who types; undefined: that did not change. */
function typingNews({ pass, dag, isNew }: JoinedView): readonly (readonly UserId[])[] | undefined {
  const { typing } = pass.ctx;
  const changed = isNew ? typing.current(dag.room) : typing.changedAfter(dag.room, pass.since);
  if (changed === undefined) return undefined;
  const users = withoutIgnoredUsers(pass, changed);
  return isNew && users.length === 0 ? [] : [users];
}

function ephemeralText(
  { pass, dag }: JoinedView,
  typing: readonly (readonly UserId[])[],
  receipts: ReceiptNews,
): string[] {
  const filter = pass.request.filter.room.ephemeral;
  if (!includesRoom(filter, dag.roomId)) return [];
  return [
    ...typing.map((users) => ({ type: 'm.typing', content: { user_ids: users } })),
    ...receipts.contents.map((content) => ({ type: 'm.receipt', content })),
  ]
    .filter(({ type }) => matchesRoomEventFilter(filter, { type, content: {} }))
    .map((event) => JSON.stringify(event));
}

/** Somebody who comes into a room, perhaps again, is told all that they have kept about it. */
async function accountDataOf(
  { pass, dag, isNew }: JoinedView,
  changed: readonly AccountDataRow[],
): Promise<readonly AccountDataRow[]> {
  if (!includesRoom(pass.request.filter.room.accountData, dag.roomId)) return [];
  if (!isNew || pass.since < 0) return changed;
  const rows = await pass.ctx.rooms.db.all(accountDataOfRoom, { user: pass.user.userNid, room: dag.room });
  return rows.filter((row) => row.json !== null);
}
