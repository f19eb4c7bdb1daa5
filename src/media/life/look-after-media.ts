/** What administrators see of files and do with those of other servers, with the meaning that Synapse's admin API gives it. */
import { invalidParam, notFound } from '../../matrix/errors.ts';
import type { RoomId, UserId } from '../../matrix/ids/ids.ts';
import { formatMxcUri, type MxcUri } from '../../matrix/ids/mxc-uri.ts';
import { mediaOfRoom, type NamedMedia } from '../../storage/stores/media-reference-store.ts';
import { mediaAt, type MediaRow } from '../../storage/stores/media-store.ts';
import { roomById } from '../../storage/stores/room-graph-store.ts';
import type { MediaContext } from '../context.ts';
import { type Removing, removeIdleMedia, type Removed } from './remove-idle-media.ts';

/** mxc URIs, by whose they are. */
export interface RoomMedia {
  readonly local: readonly string[];
  readonly remote: readonly string[];
}

/** The files that a room's events name, as far as they are not encrypted; pictures of members are not. Throws 404 M_NOT_FOUND. */
export async function listMediaOfRoom(
  { db, localServers }: Pick<MediaContext, 'db' | 'localServers'>,
  roomId: RoomId,
): Promise<RoomMedia> {
  const found = await db.one(roomById, { roomId });
  if (found === undefined) throw notFound('There is no such room');
  const local: string[] = [];
  const remote: string[] = [];
  for (let last: NamedMedia | undefined; ;) {
    const after = { origin: last?.origin ?? '', mediaId: last?.media_id ?? '' };
    const rows = await db.all(mediaOfRoom, { room: found.room, ...after, limit: pageMax });
    for (const { origin, media_id: mediaId } of rows) {
      const isLocal = localServers.isLocal(origin);
      (isLocal ? local : remote).push(formatMxcUri({ serverName: origin, mediaId }));
    }
    if (rows.length < pageMax) return { local, remote };
    last = rows.at(-1);
  }
}

export interface FileInfo {
  readonly row: MediaRow;
  readonly userId: UserId | undefined;
  readonly isLocal: boolean;
}

/** What is known of a file. Throws 404 M_NOT_FOUND. */
export async function getFileInfo(
  { db, names, localServers }: Pick<MediaContext, 'db' | 'names' | 'localServers'>,
  { serverName, mediaId }: MxcUri,
): Promise<FileInfo> {
  const row = await db.one(mediaAt, { origin: serverName, mediaId });
  if (row === undefined) throw notFound('There is no such content');
  const [userId] = row.user_nid === null ? [] : await names.userIds([row.user_nid]);
  return { row, userId, isLocal: localServers.isLocal(serverName) };
}

/** Deletes copies of other servers' files that nobody has read since. Throws 400 M_INVALID_PARAM for a time in seconds. */
export async function purgeRemoteMedia(ctx: Removing, beforeTs: number): Promise<Removed> {
  if (beforeTs < earliestTs)
    throw invalidParam('before_ts is before 1971: it has to be in milliseconds, not in seconds');
  const wish = { of: 'remote', beforeTs, removesProtected: false, keeps: 'nothing' } as const;
  return (await removeIdleMedia(ctx, wish)) ?? { files: 0, bytes: 0 };
}

const earliestTs = 30_000_000_000;
const pageMax = 1_000;
