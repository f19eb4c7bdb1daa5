/** One response of /sync: everything that changed after `since`, up to the position at which the pass began. */
import { includesRoom, matchesEventFilter } from '../matrix/filters/matches-filter.ts';
import { formatStreamToken } from '../rooms/pagination-token.ts';
import { type AccountDataRow, accountDataSince } from '../storage/stores/account-data-store.ts';
import { joinedRoom } from './joined-room.ts';
import { type RoomText, leftRoom, strippedRoom } from './other-rooms.ts';
import type { SyncPass } from './sync-request.ts';
import type { RoomStanding } from './sync-users.ts';

export interface PassResult {
  readonly text: string;
  readonly isEmpty: boolean;
}

type Section = 'join' | 'invite' | 'knock' | 'leave';

export async function runPass(pass: SyncPass): Promise<PassResult> {
  const accountData = await changedAccountData(pass);
  const sections: Record<Section, RoomText[]> = { join: [], invite: [], knock: [], leave: [] };
  for (const standing of roomsToTell(pass, accountData)) {
    const section = sectionOf(standing.membership);
    if (section === undefined || !(await isWanted(pass, standing))) continue;
    const told = await roomText(pass, section, standing, accountData);
    if (told !== undefined) sections[section].push(told);
  }
  const global = [...globalAccountData(pass, accountData), ...(await pushRulesEvent(pass))];
  const isEmpty = global.length === 0 && Object.values(sections).every((rooms) => rooms.length === 0);
  return { text: responseText(pass.now, sections, global), isEmpty };
}

export function emptyResponse(now: number): string {
  return `{"next_batch":"${formatStreamToken(now)}"}`;
}

function responseText(now: number, sections: Record<Section, readonly RoomText[]>, global: readonly string[]): string {
  const rooms = Object.entries(sections)
    .filter(([, texts]) => texts.length > 0)
    .map(
      ([name, texts]) => `"${name}":{${texts.map(({ roomId, text }) => `${JSON.stringify(roomId)}:${text}`).join()}}`,
    );
  return (
    `{"next_batch":"${formatStreamToken(now)}"` +
    `${rooms.length === 0 ? '' : `,"rooms":{${rooms.join()}}`}` +
    `${global.length === 0 ? '' : `,"account_data":{"events":[${global.join()}]}`}}`
  );
}

/** The rooms that may have changed; all of them where that is not known. */
function roomsToTell(pass: SyncPass, accountData: ReadonlyMap<number, readonly AccountDataRow[]>): RoomStanding[] {
  const { user, since, request } = pass;
  const changed = since < 0 || request.fullState ? undefined : user.changedAfter(since);
  if (changed === undefined) return [...user.rooms.values()];
  const rooms = new Set([...changed, ...accountData.keys()]);
  return [...rooms].flatMap((room) => user.rooms.get(room) ?? []);
}

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

async function isWanted(pass: SyncPass, standing: RoomStanding): Promise<boolean> {
  const { room } = pass.request.filter;
  if (room.rooms === undefined && room.notRooms === undefined) return true;
  return includesRoom(room, (await pass.ctx.rooms.dags.openByNid(standing.room)).roomId);
}

async function roomText(
  pass: SyncPass,
  section: Section,
  standing: RoomStanding,
  accountData: ReadonlyMap<number, readonly AccountDataRow[]>,
): Promise<RoomText | undefined> {
  const { user, since, now, request } = pass;
  if (section === 'join') {
    const known = since >= user.floorPos ? (user.changes.get(standing.room) ?? nothingChanged) : undefined;
    return joinedRoom(pass, standing, known, accountData.get(standing.room) ?? []);
  }
  const isNews = standing.pos > since && standing.pos <= now;
  if (section === 'leave') {
    if (!isNews || (since < 0 && !request.filter.room.includeLeave)) return undefined;
    return leftRoom(pass, standing);
  }
  return isNews || request.fullState
    ? strippedRoom(pass, standing, section === 'invite' ? 'invite_state' : 'knock_state')
    : undefined;
}

const nothingChanged = { pos: 0, eventPos: 0, receiptPos: 0, typingPos: 0, accountDataPos: 0 };

/** By room; 0: global. Deleted types are told as empty. */
async function changedAccountData(pass: SyncPass): Promise<ReadonlyMap<number, readonly AccountDataRow[]>> {
  const { user, since, now, ctx } = pass;
  const isQuiet =
    since >= user.floorPos &&
    user.globalPos <= since &&
    [...user.changes.values()].every((change) => change.accountDataPos <= since);
  if (isQuiet) return new Map();
  const rows = await ctx.rooms.db.all(accountDataSince, { user: user.userNid, since, until: now });
  const byRoom = new Map<number, AccountDataRow[]>();
  for (const row of rows) {
    if (since < 0 && row.json === null) continue;
    const list = byRoom.get(row.room) ?? [];
    list.push(row);
    byRoom.set(row.room, list);
  }
  return byRoom;
}

/** Push rules are account data that only their own endpoints set. */
async function pushRulesEvent(pass: SyncPass): Promise<readonly string[]> {
  const { user, since, now, ctx, request } = pass;
  if (since >= user.floorPos && user.globalPos <= since) return [];
  if (!matchesEventFilter(request.filter.accountData, { type: 'm.push_rules', content: {} })) return [];
  const { ruleset, pos } = await ctx.pushRules.load(request.requester);
  if (since >= 0 && (pos <= since || pos > now)) return [];
  return [`{"type":"m.push_rules","content":${JSON.stringify({ global: ruleset })}}`];
}

function globalAccountData(
  pass: SyncPass,
  accountData: ReadonlyMap<number, readonly AccountDataRow[]>,
): readonly string[] {
  const filter = pass.request.filter.accountData;
  return (accountData.get(0) ?? [])
    .filter((row) => matchesEventFilter(filter, { type: row.type, content: {} }))
    .map((row) => `{"type":${JSON.stringify(row.type)},"content":${row.json ?? '{}'}}`);
}
