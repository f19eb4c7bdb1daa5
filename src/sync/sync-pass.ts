/** One response of /sync: everything that changed after `since`, up to the position at which the pass began. */
import { includesRoom, matchesEventFilter } from '../matrix/filters/matches-filter.ts';
import { membershipAt } from '../rooms/history-visibility.ts';
import { formatStreamToken } from '../rooms/pagination-token.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import { type AccountDataRow, accountDataSince, noRoom } from '../storage/stores/account-data-store.ts';
import { accountDataText } from './account-data-text.ts';
import { deviceKeysText, deviceListsText } from './device-keys-text.ts';
import { FirstLooks, type RoomLook } from './first-look.ts';
import { ignoredBy, isFromIgnored } from './ignored-senders.ts';
import { joinedRoom } from './joined-room.ts';
import { inWantedForm } from './response-form.ts';
import { presenceEvents } from './presence-news.ts';
import type { ToDevicePage } from '../encryption/device-inboxes.ts';
import { limits } from '../platform/limits.ts';
import { type RoomText, leftRoom, strippedRoom } from './other-rooms.ts';
import { isLazy } from './room-state.ts';
import type { SyncPass } from './sync-request.ts';
import type { RoomNews, RoomStanding } from './sync-user.ts';

export interface PassResult {
  readonly text: string;
  readonly isEmpty: boolean;
}

type Section = 'join' | 'invite' | 'knock' | 'leave';

export async function runPass(pass: SyncPass): Promise<PassResult> {
  const accountData = await changedAccountData(pass);
  const sections: Record<Section, RoomText[]> = { join: [], invite: [], knock: [], leave: [] };
  const looks = new FirstLooks(pass);
  await pass.ctx.rooms.partialRooms.load();
  for (const news of pass.rooms) {
    const { room } = news.standing;
    const section = await sectionToTell(pass, news.standing);
    if (section === undefined) continue;
    const look = section === 'join' ? await looks.find(room) : undefined;
    const told = await roomText(pass, section, news, accountData.get(room) ?? [], look);
    if (told !== undefined) sections[section].push(told);
  }
  const { accountData: filter } = pass.request.filter;
  const global = [...accountDataText(accountData.get(noRoom) ?? [], filter), ...(await pushRulesEvent(pass))];
  const presence = await presenceEvents(pass);
  const toDevice = await toDeviceMessages(pass);
  const deviceLists = await changedDeviceLists(pass);
  const { deviceNid } = pass.request.requester;
  const isEmpty =
    !pass.user.hasKeysClaimedAfter(deviceNid, pass.since) &&
    global.length + presence.length + toDevice.events.length + deviceLists.length === 0 &&
    sectionNames.every((name) => sections[name].length === 0);
  const keysText = deviceLists + deviceKeysText(await pass.ctx.keyCounts.of(deviceNid));
  const text = responseText(pass.now, sections, { global, presence, toDevice, keysText });
  return { text: isEmpty ? text : await inWantedForm(pass.ctx.rooms, pass.request.filter, text), isEmpty };
}

/** `keysText`: what `deviceKeysText` gives. */
export function emptyResponse(now: number, keysText: string): string {
  return `{"next_batch":"${formatStreamToken(now, now)}"${keysText}}`;
}

/** What a response has beside the rooms. */
interface OtherParts {
  readonly global: readonly string[];
  readonly presence: readonly string[];
  readonly toDevice: ToDevicePage;
  /** What `deviceKeysText` gives. */
  readonly keysText: string;
}

function responseText(now: number, sections: Record<Section, readonly RoomText[]>, others: OtherParts): string {
  const { global, presence, toDevice, keysText } = others;
  let rooms = '';
  for (const name of sectionNames) {
    const texts = sections[name];
    if (texts.length === 0) continue;
    let members = '';
    for (const { roomId, text } of texts) members += `${members === '' ? '' : ','}${JSON.stringify(roomId)}:${text}`;
    rooms += `${rooms === '' ? '' : ','}"${name}":{${members}}`;
  }
  const roomsText = rooms === '' ? '' : `,"rooms":{${rooms}}`;
  const globalText = global.length === 0 ? '' : `,"account_data":{"events":[${global.join()}]}`;
  const presenceText = presence.length === 0 ? '' : `,"presence":{"events":[${presence.join()}]}`;
  const toDeviceText = toDevice.events.length === 0 ? '' : `,"to_device":{"events":[${toDevice.events.join()}]}`;
  const token = formatStreamToken(now, toDevice.pos);
  return `{"next_batch":"${token}"${roomsText}${globalText}${presenceText}${toDeviceText}${keysText}}`;
}

/** Nothing for an initial sync: whoever begins asks for the keys of everybody. */
async function changedDeviceLists({ ctx, user, since, now }: SyncPass): Promise<string> {
  return since < 0 ? '' : deviceListsText(await ctx.deviceLists.newsOf(user, { since, until: now }));
}

const sectionNames: readonly Section[] = ['join', 'invite', 'knock', 'leave'];

function sectionOf(membership: string): Section | undefined {
  switch (membership) {
    case 'join':
    case 'invite':
    case 'knock':
      return membership;
    case 'leave':
    case 'ban':
      return 'leave';
    default:
      return undefined;
  }
}

/** undefined: the room is not told of. */
async function sectionToTell(pass: SyncPass, standing: RoomStanding): Promise<Section | undefined> {
  const section = sectionOf(standing.membership);
  if (section === undefined || isToCome(pass, standing) || !(await isWanted(pass, standing))) return undefined;
  if (section === 'join' || section === 'knock' || !(await comesFromIgnored(pass, standing))) return section;
  // Who was in the room has to know that they are not, whoever invites them again.
  return section === 'invite' && (await wasJoined(pass, standing)) ? 'leave' : undefined;
}

/**
 * A client that wants all members of its rooms is not told of one whose members are not known yet.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/3902
 */
function isToCome(pass: SyncPass, { room, membership }: RoomStanding): boolean {
  return membership === 'join' && !isLazy(pass) && pass.ctx.rooms.partialRooms.isPartialAt(room, pass.now);
}

async function wasJoined({ ctx, request, since }: SyncPass, { room }: RoomStanding): Promise<boolean> {
  if (since < 0) return false;
  return membershipAt(await loadVisibility(ctx.rooms, room, request.requester.userId), since) === 'join';
}

function comesFromIgnored(pass: SyncPass, standing: RoomStanding): Promise<boolean> {
  return isFromIgnored(pass.ctx.rooms, pass.request.requester, ignoredBy(pass), standing, pass.now);
}

async function isWanted(pass: SyncPass, standing: RoomStanding): Promise<boolean> {
  const { room } = pass.request.filter;
  if (room.rooms === undefined && room.notRooms === undefined) return true;
  return includesRoom(room, (await pass.ctx.rooms.dags.openByNid(standing.room)).roomId);
}

async function roomText(
  pass: SyncPass,
  section: Section,
  news: RoomNews,
  accountData: readonly AccountDataRow[],
  look: RoomLook | undefined,
): Promise<RoomText | undefined> {
  const { since, request } = pass;
  if (section === 'join') return joinedRoom(pass, news, accountData, look);
  const isNews = news.standing.pos > since;
  if (section === 'leave') {
    if (!isNews || (since < 0 && (news.standing.isForgotten || !request.filter.room.includeLeave))) return undefined;
    return leftRoom(pass, news.standing, accountData);
  }
  return isNews || request.fullState
    ? strippedRoom(pass, news.standing, section === 'invite' ? 'invite_state' : 'knock_state')
    : undefined;
}

/**
 * By room. Of deleted types only those who may have known them are told. What was set after `now` is told now and again: it may
 * have taken the place of what an earlier answer to the same request held.
 */
async function changedAccountData(pass: SyncPass): Promise<ReadonlyMap<number, readonly AccountDataRow[]>> {
  const { user, since, ctx } = pass;
  if (!pass.accountDataChanged) return new Map();
  const rows = await ctx.rooms.db.all(accountDataSince, { user: user.userNid, since });
  return Map.groupBy(
    rows.filter((row) => since >= 0 || row.json !== null),
    (row) => row.room,
  );
}

/** In every answer until the device shows a token that says it has them. */
function toDeviceMessages({ ctx, request, toDeviceSince: after, now: upTo }: SyncPass): Promise<ToDevicePage> {
  return ctx.inboxes.read(request.requester.deviceNid, { after, upTo, limit: limits.toDeviceMessagesPerPageMax });
}

/** Push rules are account data that only their own endpoints set. */
export async function pushRulesEvent(pass: SyncPass): Promise<readonly string[]> {
  const { since, ctx, request } = pass;
  if (!pass.globalsChanged) return [];
  if (!matchesEventFilter(request.filter.accountData, { type: 'm.push_rules', content: {} })) return [];
  const { ruleset, pos } = await ctx.pushRules.load(request.requester);
  if (since >= 0 && pos <= since) return [];
  return [`{"type":"m.push_rules","content":${JSON.stringify({ global: ruleset })}}`];
}
