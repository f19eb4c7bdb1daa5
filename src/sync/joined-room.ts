/** `rooms.join` of one room. https://spec.matrix.org/v1.19/client-server-api/#syncing */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { matchesEventFilter, matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { firstOrdAfter, formatTimelineToken } from '../rooms/pagination-token.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import type { AccountDataRow } from '../storage/stores/account-data-store.ts';
import { receiptContent } from './receipt-content.ts';
import { loadState } from './room-state.ts';
import { roomSummary } from './room-summary.ts';
import { type RoomTimeline, loadTimeline } from './room-timeline.ts';
import type { RoomChange, RoomStanding } from './sync-users.ts';
import type { SyncPass } from './sync-request.ts';
import { unreadCounts } from './unread-counts.ts';

/** undefined: nothing to tell. `change` undefined: what changed is not known, so everything is looked at. */
export async function joinedRoom(
  pass: SyncPass,
  standing: RoomStanding,
  change: RoomChange | undefined,
  accountData: readonly AccountDataRow[],
): Promise<{ readonly roomId: string; readonly text: string } | undefined> {
  const { ctx, since, now } = pass;
  const { room } = standing;
  const dag = await ctx.rooms.dags.openByNid(room);
  const isNew = since < 0 || standing.pos > since;
  const full = isNew || pass.request.fullState;
  const hasEvents = full || change === undefined || change.eventPos > since;
  const timeline = hasEvents ? await timelineOf(pass, dag, isNew) : noTimeline(now);
  const state = hasEvents ? await loadState(pass, dag, timeline, since, now, full) : [];
  const ephemeral = await ephemeralEvents(pass, room, change, isNew);
  const ownData = accountDataEvents(pass, accountData);
  const readChanged = change === undefined || change.receiptPos > since;
  const isEmpty = timeline.events.length + state.length + ephemeral.length + ownData.length === 0;
  if (isEmpty && !timeline.limited && !readChanged && !isNew) return undefined;

  const counts = await unreadCounts(ctx, pass.user, pass.request.requester.userId, dag, now);
  const membersChanged =
    full || state.some(isMemberText) || timeline.events.some((event) => event.fragment.type === 'm.room.member');
  const summary = membersChanged ? await roomSummary(ctx.rooms, dag, pass.user.userNid) : undefined;
  const text =
    `{"timeline":${timelineText(timeline)},"state":{"events":[${state.join()}]}` +
    `,"account_data":{"events":[${ownData.join()}]},"ephemeral":{"events":[${ephemeral.join()}]}` +
    `,"unread_notifications":{"notification_count":${counts.notification},"highlight_count":${counts.highlight}}` +
    `${summary === undefined ? '' : `,"summary":${JSON.stringify(summary)}`}}`;
  return { roomId: dag.roomId, text };
}

export function timelineText(timeline: RoomTimeline): string {
  const events = timeline.events.map((event) => event.text).join();
  return `{"events":[${events}],"limited":${timeline.limited},"prev_batch":"${formatTimelineToken(timeline.prevBatch)}"}`;
}

async function timelineOf(pass: SyncPass, dag: RoomDag, isNew: boolean): Promise<RoomTimeline> {
  const { ctx, request, since, now } = pass;
  const { room } = dag;
  if (!isNew) return loadTimeline(pass, { room, since, until: now, visibility: undefined });
  // What came before the reader joined is theirs to see or not by the room's history visibility.
  const visibility = await loadVisibility(ctx.rooms, room, request.requester.userId);
  return loadTimeline(pass, { room, since: -1, until: now, visibility });
}

const noTimeline = (now: number): RoomTimeline => ({
  events: [],
  limited: false,
  prevBatch: firstOrdAfter(now),
  otherStateChanged: false,
});

async function ephemeralEvents(
  pass: SyncPass,
  room: number,
  change: RoomChange | undefined,
  isNew: boolean,
): Promise<string[]> {
  const { ctx, since, now, request } = pass;
  const filter = request.filter.room.ephemeral;
  const events: JsonObject[] = [];
  const typing = isNew ? ctx.typing.current(room) : ctx.typing.changedAfter(room, since);
  if (typing !== undefined && (typing.length > 0 || !isNew))
    events.push({ type: 'm.typing', content: { user_ids: typing } });
  if (isNew || change === undefined || change.receiptPos > since) {
    const content = await receiptContent(ctx.rooms, room, pass.user.userNid, isNew ? -1 : since, now);
    if (content !== undefined) events.push({ type: 'm.receipt', content });
  }
  return events
    .filter((event) => matchesRoomEventFilter(filter, { type: String(event['type']), content: {} }))
    .map((event) => JSON.stringify(event));
}

function accountDataEvents(pass: SyncPass, rows: readonly AccountDataRow[]): string[] {
  const filter = pass.request.filter.room.accountData;
  return rows
    .filter((row) => matchesEventFilter(filter, { type: row.type, content: {} }))
    .map((row) => `{"type":${JSON.stringify(row.type)},"content":${row.json ?? '{}'}}`);
}

const isMemberText = (text: string): boolean => text.includes('"type":"m.room.member"');
