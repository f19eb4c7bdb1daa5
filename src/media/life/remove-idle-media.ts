import { limits } from '../../platform/limits.ts';
import type { Timers } from '../../platform/ports.ts';
import { unsettleBlob } from '../../storage/stores/blob-store.ts';
import {
  deleteIdleMedia,
  deleteIdleThumbnail,
  type IdleFilter,
  idleMedia,
  idleMediaOfSameTime,
  type IdleRow,
  idleThumbnails,
} from '../../storage/stores/media-retention-store.ts';
import type { MediaContext } from '../context.ts';

/** What a file must be to go. */
export interface IdleWish {
  /** Files of users here, or copies of other servers' files. */
  readonly of: 'local' | 'remote';
  /** Milliseconds since the Unix epoch: nobody has uploaded or read it since. */
  readonly beforeTs: number;
  readonly removesProtected: boolean;
  /** What stays all the same; `named` includes the avatars and what may be named where nobody can see it. */
  readonly keeps: 'nothing' | 'avatars' | 'named';
}
export interface Removed {
  readonly files: number;
  /** Of these files; what others have too is still stored. */
  readonly bytes: number;
}

export interface Removing extends Pick<MediaContext, 'db' | 'blobs' | 'localServers'> {
  readonly timers: Pick<Timers, 'soon'>;
  /** Resolves when it is known which files the events name that are committed now; false: it cannot be known yet. */
  readonly referencesKnown: () => Promise<boolean>;
}

/**
 * Deletes what nobody has used for a while, for good, a few files at a time. That it is so is asked again in the unit that deletes, so
 * that what is used meanwhile stays. undefined: it cannot be known yet what stays.
 */
export async function removeIdleMedia(
  ctx: Removing,
  wish: IdleWish,
  isEnded: () => boolean = () => false,
): Promise<Removed | undefined> {
  const filter = filterOf(ctx, wish);
  let [files, bytes] = [0, 0];
  for (let last: IdleRow | undefined; !isEnded();) {
    if (wish.keeps !== 'nothing' && !(await ctx.referencesKnown())) return undefined;
    const rows = await rowsBehind(ctx, filter, last);
    const removed = await removeRows(
      ctx,
      filter,
      rows.filter(({ deletable }) => deletable === 1),
    );
    files += removed.length;
    bytes += removed.reduce((sum, row) => sum + row.bytes, 0);
    last = rows.at(-1);
    if (last === undefined) break;
    await new Promise<void>((resolve) => ctx.timers.soon(resolve));
  }
  return { files, bytes };
}

/** The same for thumbnails, which are made again when somebody asks for them. */
export async function removeIdleThumbnails(
  ctx: Pick<Removing, 'db' | 'blobs' | 'timers'>,
  beforeTs: number,
  isEnded: () => boolean = () => false,
): Promise<Removed> {
  const beforeDay = beforeTs - dayMs;
  let [files, bytes] = [0, 0];
  while (!isEnded()) {
    const rows = await ctx.db.all(idleThumbnails, { beforeDay, limit: pageMax });
    if (rows.length === 0) break;
    const { changes } = await ctx.db.write((unit) => {
      for (const row of rows) {
        unit.run(deleteIdleThumbnail, { ...row, beforeDay });
        unit.run(unsettleBlob, { sha256: row.sha256 });
      }
    }).committed;
    for (const [index, row] of rows.entries()) {
      if (changes[index * 2] !== 1) continue;
      files++;
      bytes += row.bytes;
      await ctx.blobs.release(row.sha256);
    }
    await new Promise<void>((resolve) => ctx.timers.soon(resolve));
  }
  return { files, bytes };
}

async function rowsBehind(
  { db }: Removing,
  filter: IdleFilter,
  last: IdleRow | undefined,
): Promise<readonly IdleRow[]> {
  const limit = pageMax;
  if (last === undefined) return await db.all(idleMedia, { ...filter, afterUsed: -1, limit });
  const { used, origin: afterOrigin, media_id: afterMediaId } = last;
  const same = await db.all(idleMediaOfSameTime, { ...filter, used, afterOrigin, afterMediaId, limit });
  return same.length > 0 ? same : await db.all(idleMedia, { ...filter, afterUsed: used, limit });
}

async function removeRows(
  { db, blobs }: Removing,
  filter: IdleFilter,
  rows: readonly IdleRow[],
): Promise<readonly IdleRow[]> {
  if (rows.length === 0) return [];
  const { changes } = await db.write((unit) => {
    for (const { origin, media_id: mediaId, sha256 } of rows) {
      unit.run(deleteIdleMedia, { ...filter, origin, mediaId, sha256 });
      // The content goes too, unless something else refers to it; also when the process ends before its bytes are gone.
      unit.run(unsettleBlob, { sha256 });
    }
  }).committed;
  const removed = rows.filter((_, index) => changes[index * 2] === 1);
  for (const { sha256 } of removed) await blobs.release(sha256);
  return removed;
}

const filterOf = ({ localServers }: Removing, { of, beforeTs, removesProtected, keeps }: IdleWish): IdleFilter => ({
  localNames: localServers.names(),
  local: of === 'local' ? 1 : 0,
  before: beforeTs,
  beforeDay: beforeTs - dayMs,
  protected: removesProtected ? 1 : 0,
  keepsAvatars: keeps === 'nothing' ? 0 : 1,
  keepsNamed: keeps === 'named' ? 1 : 0,
});

const dayMs = 86_400_000;
const pageMax = limits.administeredMediaPageMax;
