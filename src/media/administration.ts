/** What administrators do with files, with the meaning that Synapse's admin API gives it. */
import { forbidden, invalidParam, type MatrixError, notFound } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { serverNameOf } from '../matrix/ids/user-id.ts';
import { limits } from '../platform/limits.ts';
import { accountOfUser } from '../storage/stores/account-store.ts';
import {
  type Direction,
  type MediaOfUserRow,
  mediaOfUser,
  type MediaOrder,
  mediaStatistics,
  mediaUsage,
  protectMedia,
  type StatisticsOrder,
  usersWithMediaCount,
} from '../storage/stores/media-administration-store.ts';
import { mediaAt, type MediaRow } from '../storage/stores/media-store.ts';
import type { MediaContext } from './context.ts';
import { removeContent, removeContents } from './remove-content.ts';

/** A part of a list, in an order. */
export interface Page<Order> {
  readonly from: number;
  readonly limit: number;
  readonly order: Order;
  readonly direction: Direction;
}
export interface Listed<Row> {
  readonly rows: readonly Row[];
  /** Of the whole list. */
  readonly total: number;
  /** Where the list goes on; undefined at its end. */
  readonly next: number | undefined;
}

export type Administering = Pick<MediaContext, 'db' | 'names' | 'blobs' | 'localServers'>;

/** A local user's files. Throws 400 M_INVALID_PARAM for a user of another server, 404 M_NOT_FOUND for nobody. */
export async function listMediaOfUser(
  ctx: Administering,
  userId: UserId,
  page: Page<MediaOrder>,
): Promise<Listed<MediaOfUserRow>> {
  const user = await getUserNid(ctx, userId);
  const rows = await rowsOfUser(ctx, user, page);
  const total = (await ctx.db.one(mediaUsage, { user }))?.files ?? 0;
  return listed(rows, total, page);
}

/** Deletes the first of a local user's files for good, `page.limit` at most. Throws as `listMediaOfUser`. */
export async function deleteMediaOfUser(
  ctx: Administering,
  userId: UserId,
  page: Page<MediaOrder>,
): Promise<readonly string[]> {
  const rows = await rowsOfUser(ctx, await getUserNid(ctx, userId), page);
  const files = rows.map(({ origin, media_id: mediaId, sha256 }) => ({ origin, mediaId, sha256 }));
  await removeContents(ctx, files);
  return files.map(({ mediaId }) => mediaId);
}

/** Deletes one file for good; of another server's the copy, unless it is in quarantine. Throws 404 M_NOT_FOUND. */
export async function deleteFile(ctx: Administering, uri: MxcUri): Promise<void> {
  const isCopy = !ctx.localServers.isLocal(uri.serverName);
  // Without it nobody would know that it is not to be fetched again.
  if (isCopy && (await getRow(ctx, uri)).quarantined_by !== null) throw forbidden('The file is in quarantine');
  if (!(await removeContent(ctx, uri))) throw noSuchFile();
}

/** Whether a file of this server, whichever of its names it is under, can be quarantined. Throws 404 M_NOT_FOUND. */
export async function setProtected(ctx: Administering, mediaId: string, isProtected: boolean): Promise<void> {
  const flag = isProtected ? 1 : 0;
  const { changes } = await ctx.db.write((unit) => {
    for (const origin of ctx.localServers.names()) unit.run(protectMedia, { origin, mediaId, protected: flag });
  }).committed;
  if (changes.every((count) => count === 0)) throw noSuchFile();
}

export interface StatisticsWish extends Page<StatisticsOrder> {
  /** Of files that came from then on, milliseconds since the Unix epoch. */
  readonly fromTs: number | undefined;
  /** And until then. */
  readonly untilTs: number | undefined;
  /** Part of the localpart or the display name of whom it is about. */
  readonly term: string | undefined;
}

/** How much a user has. */
export interface UserMedia {
  readonly userId: string;
  readonly displayName: string | undefined;
  readonly files: number;
  readonly bytes: number;
}

/** How much users have that have anything. Throws 400 M_INVALID_PARAM for times in the wrong order, and a term with a NUL. */
export async function listMediaStatistics(
  ctx: Administering,
  { fromTs = 0, untilTs = Number.MAX_SAFE_INTEGER, term = '', ...page }: StatisticsWish,
): Promise<Listed<UserMedia>> {
  if (untilTs < fromTs) throw invalidParam('until_ts must not be before from_ts');
  if (term.includes('\0')) throw invalidParam('search_term must have no NUL');
  const filter = { fromTs, untilTs, term, jsonTerm: JSON.stringify(term).slice(1, -1) };
  const { from, limit, order, direction } = bounded(page);
  const rows = await ctx.db.all(mediaStatistics(order, direction), { ...filter, from, limit });
  const total = (await ctx.db.one(usersWithMediaCount, filter))?.count ?? 0;
  const users = rows.map(({ user_id: userId, display_name: name, files, bytes }) => ({
    userId,
    displayName: displayNameIn(name),
    files,
    bytes,
  }));
  return listed(users, total, page);
}

async function rowsOfUser(ctx: Administering, user: number, page: Page<MediaOrder>): Promise<MediaOfUserRow[]> {
  const { from, limit, order, direction } = bounded(page);
  return await ctx.db.all(mediaOfUser(order, direction), { user, from, limit });
}

/** Throws 404 M_NOT_FOUND. */
export async function getRow(ctx: Administering, { serverName, mediaId }: MxcUri): Promise<MediaRow> {
  const row = await ctx.db.one(mediaAt, { origin: serverName, mediaId });
  if (row === undefined) throw noSuchFile();
  return row;
}

/** A local user. Throws 400 M_INVALID_PARAM for one of another server, 404 M_NOT_FOUND for nobody. */
export async function getUserNid(ctx: Administering, userId: UserId): Promise<number> {
  assertLocal(ctx, serverNameOf(userId));
  const user = await ctx.names.findUserNid(userId);
  if (user === undefined || (await ctx.db.one(accountOfUser, { user })) === undefined)
    throw notFound('There is no such user');
  return user;
}

export function assertLocal({ localServers }: Pick<MediaContext, 'localServers'>, serverName: string): void {
  if (!localServers.isLocal(serverName)) throw invalidParam(`${serverName} is not a name of this server`);
}

const bounded = <Order>(page: Page<Order>): Page<Order> => ({
  ...page,
  limit: Math.min(page.limit, limits.administeredMediaMax),
});

function listed<Row, Order>(rows: readonly Row[], total: number, { from }: Page<Order>): Listed<Row> {
  const end = from + rows.length;
  return { rows, total, next: rows.length > 0 && end < total ? end : undefined };
}

function displayNameIn(json: string | null): string | undefined {
  const name: unknown = json === null ? undefined : JSON.parse(json);
  return typeof name === 'string' ? name : undefined;
}

const noSuchFile = (): MatrixError => notFound('There is no such content');
