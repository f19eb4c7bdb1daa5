/** What goes with the rooms where a client asks for it: account data, receipts and typing. */
import type { UserId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { posAt } from '../../rooms/pagination-token.ts';
import {
  type AccountDataRow,
  accountDataOfRoom,
  accountDataSince,
  noRoom,
} from '../../storage/stores/account-data-store.ts';
import { receiptsAfter, receiptsOfUser } from '../../storage/stores/receipt-store.ts';
import { receiptContents } from '../receipt-news.ts';
import { pushRulesEvent } from '../sync-pass.ts';
import type { Candidate } from './candidates.ts';
import type { RoomRecord, Told } from './connection.ts';
import type { SlidingLook } from './room-looks.ts';
import type { RoomResult } from './room-result.ts';
import type { RoomTold } from './room-view.ts';
import { type SlidingPass, syncPassOf } from './sliding-pass.ts';
import type { ExtensionScope } from './sliding-request.ts';

/** Events as JSON text; rooms by their ids. */
export interface ExtensionNews {
  /** Of a connection that begins, all account data of the user, by room. */
  allAccountData: ReadonlyMap<number, readonly AccountDataRow[]> | undefined;
  readonly globalAccountData: string[];
  readonly accountData: Map<string, readonly string[]>;
  readonly receipts: Map<string, string>;
  readonly typing: Map<string, string>;
}

export const noExtensionNews = (): ExtensionNews => ({
  allAccountData: undefined,
  globalAccountData: [],
  accountData: new Map(),
  receipts: new Map(),
  typing: new Map(),
});

/** Of the user, not of a room. */
export async function addGlobalNews(pass: SlidingPass, news: ExtensionNews): Promise<void> {
  if (pass.request.extensions.accountData === undefined || !pass.globalsChanged) return;
  const { since, ctx, user } = pass;
  const rows = await ctx.sync.rooms.db.all(accountDataSince, { user: user.userNid, since });
  if (since < 0) news.allAccountData = Map.groupBy(rows, ({ room }) => room);
  const told = rows.filter(({ room, json }) => room === noRoom && (since >= 0 || json !== null));
  news.globalAccountData.push(...told.map(accountDataEvent), ...(await pushRulesEvent(syncPassOf(pass, 0, since))));
}

/** Gives the room's record as it is when this was told. */
export async function addRoomNews(
  pass: SlidingPass,
  news: ExtensionNews,
  candidate: Candidate,
  { result, record }: Pick<RoomTold, 'result' | 'record'>,
  look: SlidingLook | undefined,
): Promise<RoomRecord> {
  const { extensions } = pass.request;
  const told = { ...record };
  if (isInScope(pass, extensions.accountData, candidate)) {
    const rows = await accountDataNews(pass, news, candidate, record.accountData);
    if (rows.length > 0) news.accountData.set(candidate.roomId, rows.map(accountDataEvent));
    told.accountData = 'all';
  } else if (mayHave(pass, candidate, 'accountDataPos')) told.accountData = missed(pass, record.accountData);
  if (record.membership !== 'join') return told;
  if (isInScope(pass, extensions.typing, candidate)) addTyping(pass, news, candidate, result);
  if (!isInScope(pass, extensions.receipts, candidate)) {
    if (mayHave(pass, candidate, 'receiptPos')) told.receipts = missed(pass, record.receipts);
    return told;
  }
  const isAnew = record.receipts === 'never' || result?.isInitial === true || result?.isExpanded === true;
  const isNews = isAnew || typeof record.receipts === 'number' || mayHave(pass, candidate, 'receiptPos');
  told.receipts = isNews
    ? await addReceipts(pass, news, candidate, isAnew ? { ...told, receipts: 'never' } : told, look)
    : 'all';
  return told;
}

/** What a room that no rule shows has missed. */
export function missedBy(pass: SlidingPass, candidate: Candidate, record: RoomRecord): RoomRecord {
  return {
    ...record,
    events: mayHave(pass, candidate, 'eventPos') ? missed(pass, record.events) : record.events,
    receipts: mayHave(pass, candidate, 'receiptPos') ? missed(pass, record.receipts) : record.receipts,
    accountData: mayHave(pass, candidate, 'accountDataPos') ? missed(pass, record.accountData) : record.accountData,
  };
}

const missed = ({ since }: SlidingPass, told: Told): Told => (told === 'all' ? since : told);

function mayHave(
  { since }: SlidingPass,
  { change }: Candidate,
  kind: 'eventPos' | 'receiptPos' | 'accountDataPos',
): boolean {
  return change === undefined || change[kind] > since;
}

function isInScope(
  { windows }: SlidingPass,
  scope: ExtensionScope | undefined,
  { windows: shownBy, isSubscribed, roomId }: Candidate,
): boolean {
  if (scope === undefined) return false;
  if (isSubscribed && (scope.rooms === undefined || scope.rooms.has(roomId))) return true;
  const { lists } = scope;
  return shownBy.some((index) => lists === undefined || lists.has(windows[index]?.list.name ?? ''));
}

async function accountDataNews(
  pass: SlidingPass,
  { allAccountData }: ExtensionNews,
  candidate: Candidate,
  told: Told,
): Promise<AccountDataRow[]> {
  if (told === 'all' && !mayHave(pass, candidate, 'accountDataPos')) return [];
  const { room } = candidate.standing;
  const rows =
    allAccountData === undefined
      ? await pass.ctx.sync.rooms.db.all(accountDataOfRoom, { user: pass.user.userNid, room })
      : (allAccountData.get(room) ?? []);
  if (told === 'never') return rows.filter(({ json }) => json !== null);
  const from = told === 'all' ? pass.since : told;
  return rows.filter(({ pos }) => pos > from);
}

/** What was deleted is told as empty. */
const accountDataEvent = ({ type, json }: AccountDataRow): string =>
  `{"type":${JSON.stringify(type)},"content":${json ?? '{}'}}`;

function addTyping(
  { ctx, since, ignored }: SlidingPass,
  news: ExtensionNews,
  { standing, roomId }: Candidate,
  result: RoomResult | undefined,
): void {
  const { typing } = ctx.sync;
  const isAnew = since < 0 || result?.isInitial === true;
  let users = isAnew ? typing.current(standing.room) : typing.changedAfter(standing.room, since);
  // Typing that ended with the process before this one is no news, and goes with other news.
  if (users === undefined && result !== undefined && !typing.isCompleteAfter(since)) users = [];
  if (users === undefined) return;
  const heard: readonly UserId[] = users.filter((userId) => !ignored.has(userId));
  if (isAnew && heard.length === 0) return;
  news.typing.set(roomId, JSON.stringify({ type: 'm.typing', content: { user_ids: heard } }));
}

/**
 * Of a room that is told anew, those at the events that the client has, and the user's own. A room has one event in an answer:
 * what does not fit in goes into the next one.
 */
async function addReceipts(
  pass: SlidingPass,
  news: ExtensionNews,
  { standing, roomId }: Candidate,
  record: RoomRecord,
  look: SlidingLook | undefined,
): Promise<Told> {
  const { ctx, user, now, ignored, since } = pass;
  const { db } = ctx.sync.rooms;
  const { room } = standing;
  const { firstOrd, receipts } = record;
  const isAnew = receipts === 'never';
  const after = isAnew ? posAt(firstOrd) - 1 : receipts === 'all' ? since : receipts;
  // The look reaches back as far as its events do.
  const known = isAnew && look !== undefined && firstOrd >= (look.newest.at(-1)?.ord ?? 0) ? look : undefined;
  const rows = after >= now ? [] : (known?.receipts ?? (await db.all(receiptsAfter, { room, after, upTo: now })));
  const own = isAnew ? (known?.ownReceipts ?? (await db.all(receiptsOfUser, { user: user.userNid, room }))) : [];
  const wanted = isAnew ? rows.filter((row) => row.user_nid !== user.userNid && (row.ord ?? 0) >= firstOrd) : rows;
  const [first, second] = await receiptContents(ctx.sync.rooms, [...own, ...wanted], user.userNid, ignored);
  if (first !== undefined) news.receipts.set(roomId, receiptEvent(first.content));
  return second === undefined ? 'all' : second.pos - 1;
}

const receiptEvent = (content: JsonObject): string => JSON.stringify({ type: 'm.receipt', content });
