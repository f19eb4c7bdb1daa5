/** One answer: the rooms that have something to tell, what goes with them, and what the connection has been told then. */
import type { Candidate, Candidates } from './candidates.ts';
import type { Draft, MemberNews, RoomRecord } from './connection.ts';
import { type DeviceNews, deviceNews } from './device-news.ts';
import { type ExtensionNews, addGlobalNews, addRoomNews, missedBy, noExtensionNews } from './extensions.ts';
import { joinedRoom } from './joined-room.ts';
import { type SlidingLook, SlidingLooks } from './room-looks.ts';
import type { RoomTold } from './room-view.ts';
import { leftRoom, strippedRoom } from './other-rooms.ts';
import type { RoomResult } from './room-result.ts';
import { stickyText } from './sticky-extension.ts';
import type { SlidingPass } from './sliding-pass.ts';

export interface SlidingAnswer {
  readonly rooms: readonly RoomResult[];
  readonly extensions: ExtensionNews;
  /** A member of `extensions`, as JSON text. */
  readonly sticky?: string | undefined;
  readonly device: DeviceNews;
  readonly draft: Draft;
  /** There is nothing that a client waits for. */
  readonly isEmpty: boolean;
  /** There is nothing to remember either. */
  readonly isUnchanged: boolean;
}

export async function runSlidingPass(pass: SlidingPass, { shown, hidden }: Candidates): Promise<SlidingAnswer> {
  const rooms: RoomResult[] = [];
  const records = new Map<number, RoomRecord>();
  const members = new Map<number, MemberNews>();
  const extensions = noExtensionNews();
  await addGlobalNews(pass, extensions);
  const device = await deviceNews(pass);
  const looks = new SlidingLooks(pass, shown);
  for (const candidate of shown) {
    const look = await looks.find(candidate);
    const told = await roomTold(pass, candidate, look);
    const { room } = candidate.standing;
    records.set(room, await addRoomNews(pass, extensions, candidate, told, look));
    if (told.members !== undefined) members.set(room, told.members);
    if (told.result !== undefined) rooms.push(told.result);
  }
  for (const candidate of hidden)
    if (candidate.record !== undefined)
      records.set(candidate.standing.room, missedBy(pass, candidate, candidate.record));
  const sticky = await stickyText(pass, rooms);
  const { connection, request, lists, now } = pass;
  const draft = {
    serial: connection.nextSerial(),
    streamPos: now,
    signature: request.signature,
    lists,
    records,
    members,
  };
  const hasExtensionNews =
    extensions.globalAccountData.length +
      extensions.accountData.size +
      extensions.receipts.size +
      extensions.typing.size >
      0 || sticky !== undefined;
  const isEmpty = rooms.length === 0 && !hasExtensionNews && device.isEmpty && !haveCountsChanged(pass);
  return {
    rooms,
    extensions,
    sticky,
    device,
    draft,
    isEmpty,
    isUnchanged: isEmpty && records.size === 0 && !isMoved(pass),
  };
}

function roomTold(pass: SlidingPass, candidate: Candidate, look: SlidingLook | undefined): Promise<RoomTold> {
  switch (candidate.standing.membership) {
    case 'join':
      return joinedRoom(pass, candidate, look);
    case 'invite':
    case 'knock':
      return strippedRoom(pass, candidate);
    default:
      return leftRoom(pass, candidate);
  }
}

function haveCountsChanged({ connection, lists }: SlidingPass): boolean {
  for (const [name, { count }] of lists) if (connection.lists.get(name)?.count !== count) return true;
  return false;
}

/** Whether the next pass is better off beginning here. */
function isMoved({ connection, request, lists, news, globalsChanged }: SlidingPass): boolean {
  if (connection.signature !== request.signature || news.length > 0 || globalsChanged) return true;
  for (const [name, { version }] of lists) if (connection.lists.get(name)?.version !== version) return true;
  return false;
}
