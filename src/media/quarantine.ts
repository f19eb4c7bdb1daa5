/** Files that are hidden from everybody, by their contents: whoever uploads the same bytes later has hidden ones too. */
import { forbidden, MatrixError, notFound } from '../matrix/errors.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { isServerName } from '../matrix/ids/server-name.ts';
import { limits } from '../platform/limits.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { mediaOfRoom, type NamedMedia } from '../storage/stores/media-reference-store.ts';
import { deletePendingMedia, mediaAt } from '../storage/stores/media-store.ts';
import {
  addQuarantinedContent,
  contentsOfUser,
  quarantineContent,
  quarantinePending,
  quarantineUnread,
  releaseContent,
  removeQuarantinedContent,
} from '../storage/stores/quarantine-store.ts';
import { roomById } from '../storage/stores/room-graph-store.ts';
import { acceptFindings } from '../storage/stores/scan-store.ts';
import { type Administering, getRow, getUserNid } from './administration.ts';
import type { MediaContext } from './context.ts';

type Quarantining = Administering & Pick<MediaContext, 'clock'>;

/**
 * Hides a file, and whatever has the same content or gets it, from everybody. One of another server that nobody here has read is not
 * fetched any more. Throws 404 M_NOT_FOUND, 403 M_FORBIDDEN for a file that is protected.
 */
export async function quarantineFile(ctx: Quarantining, uri: MxcUri, by: UserId): Promise<void> {
  if (await hideUnread(ctx, uri, by)) return;
  const { sha256, protected: isProtected } = await getRow(ctx, uri);
  if (isProtected === 1) throw forbidden('The file is protected from quarantine');
  await ctx.db.write((unit) => {
    unit.run(quarantinePending, { origin: uri.serverName, mediaId: uri.mediaId, by });
    if (sha256 !== null) hideContent(unit, { sha256, by, ts: ctx.clock.nowMs() });
  }).committed;
}

/** Ends that, and accepts whatever a scanner found in the content. Throws 404 M_NOT_FOUND. */
export async function unquarantineFile(ctx: Administering, uri: MxcUri, by: UserId): Promise<void> {
  const { sha256 } = await getRow(ctx, uri);
  const at = { origin: uri.serverName, mediaId: uri.mediaId };
  await ctx.db.write((unit) => {
    if (ctx.localServers.isLocal(uri.serverName)) unit.run(quarantinePending, { ...at, by: null });
    else unit.run(deletePendingMedia, at);
    if (sha256 === null) return;
    unit.run(removeQuarantinedContent, { sha256 });
    unit.run(releaseContent, { sha256 });
    unit.run(acceptFindings, { content: sha256, by });
  }).committed;
}

/**
 * Hides the contents of a local user's files, but for those that are protected, whoever else has them. How many files that are. Throws as
 * `listMediaOfUser`.
 */
export async function quarantineFilesOfUser(ctx: Quarantining, userId: UserId, by: UserId): Promise<number> {
  const user = await getUserNid(ctx, userId);
  let hidden = 0;
  for (let after: Buffer = Buffer.alloc(0); ;) {
    const rows = await ctx.db.all(contentsOfUser, { user, after, limit: limits.administeredMediaPageMax });
    const contents = rows.map(({ sha256 }) => sha256);
    hidden += await hideContents(ctx, contents, by);
    const last = contents.at(-1);
    if (last === undefined) return hidden;
    after = last;
  }
}

/**
 * Hides the contents of all files that the events of a room name, as far as that is not encrypted; pictures of members are not the room's.
 * Files that are protected stay; those of other servers that nobody here has read are not fetched any more. How many files that are. Throws 404
 * M_NOT_FOUND for a room that is not known, 503 M_UNKNOWN as long as not all of them are known.
 */
export async function quarantineFilesInRoom(
  ctx: Quarantining,
  roomId: RoomId,
  by: UserId,
  referencesKnown: () => Promise<boolean>,
): Promise<number> {
  const found = await ctx.db.one(roomById, { roomId });
  if (found === undefined) throw notFound('There is no such room');
  const { room } = found;
  if (!(await referencesKnown()))
    throw new MatrixError(503, 'M_UNKNOWN', 'It is still being found out which files the events of rooms name', {
      retry_after_ms: comeAgainMs,
    });
  const limit = limits.administeredMediaPageMax;
  let hidden = 0;
  for (let after: NamedMedia | undefined; ;) {
    const behind = { origin: after?.origin ?? '', mediaId: after?.media_id ?? '' };
    const files = await ctx.db.all(mediaOfRoom, { room, ...behind, limit });
    hidden += await hideFiles(ctx, files, by);
    const last = files.at(-1);
    if (last === undefined) return hidden;
    after = last;
  }
}

/** Notes that a file of another server, of which there is no copy, is not to be fetched. false: it is none of these. */
async function hideUnread(ctx: Quarantining, { serverName: origin, mediaId }: MxcUri, by: UserId): Promise<boolean> {
  if (ctx.localServers.isLocal(origin)) return false;
  const written = ctx.db.write((unit) => unit.run(quarantineUnread, { origin, mediaId, by, ts: ctx.clock.nowMs() }));
  return (await written.committed).changes[0] === 1;
}

async function hideFiles(ctx: Quarantining, files: readonly NamedMedia[], by: UserId): Promise<number> {
  const contents = new Map<string, Buffer>();
  const pending: { readonly origin: string; readonly mediaId: string }[] = [];
  let unread = 0;
  for (const { origin, media_id: mediaId } of files) {
    const row = await ctx.db.one(mediaAt, { origin, mediaId });
    if (row === undefined && isServerName(origin) && (await hideUnread(ctx, { serverName: origin, mediaId }, by)))
      unread++;
    if (row === undefined || row.protected === 1) continue;
    if (row.sha256 === null && row.quarantined_by === null) pending.push({ origin, mediaId });
    if (row.sha256 !== null) contents.set(row.sha256.toString('latin1'), row.sha256);
  }
  const { changes } = await ctx.db.write((unit) => {
    for (const at of pending) unit.run(quarantinePending, { ...at, by });
  }).committed;
  return changes.reduce((sum, count) => sum + count, unread) + (await hideContents(ctx, [...contents.values()], by));
}

/** Hides contents, but for files that are protected. How many files that are. */
export async function hideContents(
  ctx: Pick<MediaContext, 'db' | 'clock'>,
  contents: readonly Buffer[],
  by: string,
): Promise<number> {
  if (contents.length === 0) return 0;
  const ts = ctx.clock.nowMs();
  const { changes } = await ctx.db.write((unit) => {
    for (const sha256 of contents) hideContent(unit, { sha256, by, ts });
  }).committed;
  // Every second statement is about files.
  return changes.reduce((sum, count, index) => sum + (index % 2 === 1 ? count : 0), 0);
}

/** The statements that hide a content. `by`: an administrator, or the scanner and what it found. */
export function hideContent(
  unit: UnitBuilder,
  { sha256, by, ts }: { readonly sha256: Buffer; readonly by: string; readonly ts: number },
): void {
  unit.run(addQuarantinedContent, { sha256, by, ts });
  unit.run(quarantineContent, { sha256, by });
}

const comeAgainMs = 30_000;
