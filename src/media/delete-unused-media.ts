import type { ServerName } from '../matrix/ids/ids.ts';
import { formatMxcUri, parseMxcUri } from '../matrix/ids/mxc-uri.ts';
import { invalidParam } from '../matrix/errors.ts';
import { limits } from '../platform/limits.ts';
import { decodeEventBody } from '../storage/event-body.ts';
import { avatarsOfUsers, presentStateOfRooms, unusedMedia } from '../storage/stores/media-administration-store.ts';
import { assertLocal } from './administration.ts';
import type { MediaContext } from './context.ts';
import { removeContents } from './remove-content.ts';

export interface UnusedMediaWish {
  /** Of one of this server's names; undefined: of all. */
  readonly serverName: ServerName | undefined;
  /** Milliseconds since the Unix epoch: what nobody uploaded or read since then. */
  readonly beforeTs: number;
  /** And is larger than this. */
  readonly sizeBytes: number;
  /** Whether avatars of local users and of rooms stay. */
  readonly keepsAvatars: boolean;
}

type Deleting = Pick<MediaContext, 'db' | 'names' | 'blobs' | 'localServers'>;

/**
 * Deletes files for good that users uploaded and nobody uses any more; their ids. The day of the last use is known, so that a file counts as
 * used until the end of that day. Throws 400 M_INVALID_PARAM for another server's name, and for a time in seconds.
 */
export async function deleteUnusedMedia(ctx: Deleting, wish: UnusedMediaWish): Promise<readonly string[]> {
  if (wish.beforeTs < earliestTs)
    throw invalidParam('before_ts is before 1971: it has to be in milliseconds, not in seconds');
  if (wish.serverName !== undefined) assertLocal(ctx, wish.serverName);
  const roomAvatars = wish.keepsAvatars ? await findRoomAvatars(ctx) : new Set<string>();
  const deleted: string[] = [];
  for (const origin of wish.serverName === undefined ? ctx.localServers.names() : [wish.serverName])
    for await (const mediaId of deleteUnusedOf(ctx, origin, wish, roomAvatars)) deleted.push(mediaId);
  return deleted;
}

async function* deleteUnusedOf(
  ctx: Deleting,
  origin: ServerName,
  { beforeTs, sizeBytes, keepsAvatars }: UnusedMediaWish,
  roomAvatars: ReadonlySet<string>,
): AsyncIterable<string> {
  const filter = { origin, before: beforeTs, beforeDay: beforeTs - dayMs, bytes: sizeBytes, limit: pageMax };
  for (let after = ''; ;) {
    const rows = await ctx.db.all(unusedMedia, { ...filter, after });
    const files = rows.map(({ media_id: mediaId, sha256 }) => ({
      origin,
      mediaId,
      sha256,
      uri: formatMxcUri({ serverName: origin, mediaId }),
    }));
    const kept = keepsAvatars ? await findUserAvatars(ctx, files) : roomAvatars;
    const unused = files.filter(({ uri }) => !kept.has(uri) && !roomAvatars.has(uri));
    await removeContents(ctx, unused);
    for (const { mediaId } of unused) yield mediaId;
    if (rows.length < pageMax) return;
    after = rows.at(-1)?.media_id ?? after;
  }
}

async function findUserAvatars(
  { db }: Deleting,
  files: readonly { readonly uri: string }[],
): Promise<ReadonlySet<string>> {
  const rows = await db.all(avatarsOfUsers, { urls: files.map(({ uri }) => JSON.stringify(uri)) });
  return new Set(rows.map(({ value }) => String(JSON.parse(value))));
}

/** The present avatars of all rooms, as far as they are files of this server. */
async function findRoomAvatars({ db, names, localServers }: Deleting): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const skey = await names.findSkey('m.room.avatar', '');
  if (skey === undefined) return found;
  for (let after = 0; ;) {
    const rows = await db.all(presentStateOfRooms, { skey, after, limit: pageMax });
    for (const { body } of rows) {
      const url = urlIn(JSON.parse(decodeEventBody(body)));
      const uri = url === undefined ? undefined : parseMxcUri(url);
      if (uri !== undefined && localServers.isLocal(uri.serverName)) found.add(formatMxcUri(uri));
    }
    if (rows.length < pageMax) return found;
    after = rows.at(-1)?.room ?? after;
  }
}

function urlIn(event: unknown): string | undefined {
  const content = isRecord(event) ? event['content'] : undefined;
  const url = isRecord(content) ? content['url'] : undefined;
  return typeof url === 'string' ? url : undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const dayMs = 86_400_000;
const earliestTs = 30_000_000_000;
const pageMax = limits.administeredMediaPageMax;
