/** EDUs of other servers about keys of their users. https://spec.matrix.org/v1.19/server-server-api/#device-management */
import type { ServerName, UserId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { sharingWithUs } from '../../storage/stores/remote-device-store.ts';
import { UserKeys } from '../user-keys.ts';
import type { RemoteListsContext } from './context.ts';
import { isRight, type Kept, type KeptList, wasRight } from './kept-lists.ts';
import { type FollowedList, followUpdates } from './list-update.ts';
import {
  isBounded,
  readDeviceListUpdate,
  readSigningKeyUpdate,
  type ToldSigningKeys,
  type ToldUpdate,
} from './read-update.ts';
import type { Resyncs } from './resyncs.ts';
import { changesBetween, isNothing, unlessForgotten, writeList, writeNews, writeStale } from './write-kept.ts';

type Receiving = RemoteListsContext & { readonly resyncs: Resyncs };

/** Contents of m.device_list_update, in their order. What became of them is on disk when it resolves. */
export async function receiveDeviceLists(
  ctx: Receiving,
  origin: ServerName,
  contents: readonly JsonObject[],
): Promise<void> {
  const updates = contents.map((content) => readDeviceListUpdate(origin, content)).filter((told) => told !== undefined);
  await forEachUser(ctx, origin, updates, (user, some) => takeUpdates(ctx, user, some));
}

/** Contents of m.signing_key_update; the same. */
export async function receiveSigningKeys(
  ctx: Receiving,
  origin: ServerName,
  contents: readonly JsonObject[],
): Promise<void> {
  const updates = contents.map((content) => readSigningKeyUpdate(origin, content)).filter((told) => told !== undefined);
  await forEachUser(ctx, origin, updates, async (user, some) => {
    for (const told of some) await takeSigningKeys(ctx, user, told);
  });
}

interface RemoteUser {
  readonly userNid: number;
  readonly serverNid: number;
}

/** Of those who share a room with somebody here: the others are nobody's business. */
async function forEachUser<Told extends { readonly userId: UserId }>(
  ctx: Receiving,
  origin: ServerName,
  updates: readonly Told[],
  take: (user: RemoteUser, some: readonly Told[]) => Promise<void>,
): Promise<void> {
  if (updates.length === 0) return;
  const byUser = [...Map.groupBy(updates, ({ userId }) => userId)];
  const nids = await ctx.names.findUserNids(byUser.map(([userId]) => userId));
  const users = nids.filter((nid) => nid !== undefined);
  if (users.length === 0) return;
  const rows = await ctx.db.all(sharingWithUs, { users, locals: await ctx.locals() });
  const sharing = new Set(rows.map((row) => row.user_nid));
  const serverNid = await ctx.names.serverNid(origin);
  await Promise.all(
    byUser.map(async ([, some], index) => {
      const userNid = nids[index];
      if (userNid === undefined || !sharing.has(userNid)) return;
      await ctx.listLocks.run(userNid, () => take({ userNid, serverNid }, some));
    }),
  );
}

async function takeUpdates(ctx: Receiving, user: RemoteUser, updates: readonly ToldUpdate[]): Promise<void> {
  const kept = await ctx.kept.one(user.userNid);
  // What is asked for anyway, or never was, is told of at once: whoever asks then gets it from there.
  if (!isRight(kept)) return doubt(ctx, user, kept, !wasRight(kept) && updates.some(({ isAboutKeys }) => isAboutKeys));
  const devices = new Map(Array.from(kept.keys.devices, ([id, { text }]) => [id, text ?? '']));
  const followed = followUpdates({ streamId: kept.streamId ?? 0, devices }, updates);
  if (followed === undefined || !fits(devices, followed)) return doubt(ctx, user, kept, false);
  await write(
    ctx,
    user.userNid,
    { ...kept, streamId: followed.streamId },
    { devices: followed.changed, crossSigning: new Map() },
  );
}

async function takeSigningKeys(ctx: Receiving, user: RemoteUser, told: ToldSigningKeys): Promise<void> {
  const kept = await ctx.kept.one(user.userNid);
  if (!isRight(kept) || told.isBroken) return doubt(ctx, user, kept, !wasRight(kept));
  const crossSigning = new Map(kept.keys.crossSigning);
  if (told.master !== undefined) crossSigning.set('master', told.master);
  if (told.selfSigning !== undefined) crossSigning.set('self_signing', told.selfSigning);
  const changes = changesBetween(kept.keys, new UserKeys(kept.keys.devices, crossSigning));
  if (!isNothing(changes)) await write(ctx, user.userNid, kept, changes);
}

function fits(devices: ReadonlyMap<string, string>, { changed }: FollowedList): boolean {
  const all = new Map<string, string>(devices);
  for (const [id, text] of changed)
    if (text === undefined) all.delete(id);
    else all.set(id, text);
  return isBounded([...all.values()]);
}

async function write(
  { db }: Receiving,
  userNid: number,
  { streamId = 0, stalePos }: Kept,
  changes: Parameters<typeof writeList>[3],
): Promise<void> {
  const written = db.write((unit) => {
    writeList(unit, userNid, { streamId, stalePos }, changes);
    if (!isNothing(changes)) writeNews(unit, userNid, unit.nextPos());
  });
  await unlessForgotten(written);
}

/** What is kept may not be right any more, and is asked for. `isNews`: those who share a room are told now, otherwise when it is there. */
async function doubt(
  { db, resyncs }: Receiving,
  { userNid, serverNid }: RemoteUser,
  kept: KeptList,
  isNews: boolean,
): Promise<void> {
  if (kept === undefined && !isNews) return;
  let pos = 0;
  const written = db.write((unit) => {
    pos = unit.nextPos();
    if (kept !== undefined) writeStale(unit, [userNid], pos);
    if (isNews) writeNews(unit, userNid, pos);
  });
  await written.committed;
  if (kept !== undefined) resyncs.want(serverNid, userNid, pos);
}
