/** Where users want to be notified. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers */
import type { Requester } from '../accounts/requester.ts';
import { invalidParam, MatrixError } from '../matrix/errors.ts';
import { canonicalEmail } from '../matrix/ids/email.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { Database, UnitBuilder } from '../storage/database.ts';
import {
  deletePusher,
  emailAppId,
  type PusherKey,
  type PusherRow,
  pushersOfUser,
  upsertPusher,
  usersOfPushkey,
} from '../storage/stores/pusher-store.ts';
import { threepidsOfUser } from '../storage/stores/threepid-store.ts';
import type { PushContext } from './context.ts';
import { checkPusherData, checkPusherDataSize } from './pusher-data.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** Where the user is notified changed. */
    pushers: { readonly userNid: number };
  }
}

export const emailKind = 'email';

/** As clients see it. https://github.com/matrix-org/matrix-spec-proposals/pull/3881 */
export interface Pusher extends PusherKey {
  readonly kind: string;
  readonly appDisplayName: string;
  readonly deviceDisplayName: string;
  readonly profileTag: string | undefined;
  readonly lang: string;
  readonly data: JsonObject;
  /** false: it is kept, and nothing is sent. */
  readonly isEnabled: boolean;
  /** Whose session set it. */
  readonly deviceId: string | undefined;
}

export type PusherWish = Omit<Pusher, 'deviceId'> & {
  /** false: other users' pushers for the same app and pushkey go. */
  readonly append: boolean;
};

type Owner = Pick<Requester, 'userNid' | 'deviceNid'>;

export async function listPushers(ctx: Pick<PushContext, 'db'>, userNid: number): Promise<readonly Pusher[]> {
  const rows = await ctx.db.all(pushersOfUser, { user: userNid });
  return rows.map(pusherFrom);
}

/**
 * Makes a pusher, or changes the one of the same app and pushkey. It goes with the device of whoever set it last.
 * Errors: 400 M_MISSING_PARAM or M_INVALID_PARAM (data, kind, app id), M_THREEPID_NOT_FOUND (an e-mail address that is not the
 * user's), M_UNKNOWN (too many).
 */
export async function setPusher(ctx: PushContext, owner: Owner, given: PusherWish): Promise<void> {
  const { userNid: user } = owner;
  const wish = { ...given, ...ownKey(given) };
  if (wish.kind === emailKind) await checkMailPusher(ctx, user, wish);
  else if (wish.kind === 'http') checkHttpPusher(ctx, wish);
  else throw noSuchKind(wish.kind);
  await ctx.pusherLocks.run(pusherLockKey(wish), async () => {
    const own = await ctx.db.all(pushersOfUser, { user });
    const isNew = own.every((row) => row.app_id !== wish.appId || row.pushkey !== wish.pushkey);
    if (isNew && own.length >= limits.pushersMax)
      throw new MatrixError(400, 'M_UNKNOWN', `A user has at most ${limits.pushersMax} pushers`);
    const others = wish.append ? [] : await otherUsersOf(ctx, wish, user);
    await ctx.db.write((unit) => {
      for (const other of others) writePusherRemoval(unit, other, wish);
      writePusher(ctx, unit, owner, wish);
    }).committed;
  });
}

/** One that is not there is no error. */
export async function removePusher(ctx: PushContext, userNid: number, given: PusherKey): Promise<void> {
  const key = ownKey(given);
  await ctx.pusherLocks.run(pusherLockKey(key), async () => {
    await ctx.db.write((unit) => writePusherRemoval(unit, userNid, key)).committed;
  });
}

/** E-mail addresses are told apart as everywhere. */
function ownKey({ appId, pushkey }: PusherKey): PusherKey {
  return { appId, pushkey: appId === emailAppId ? (canonicalEmail(pushkey) ?? pushkey) : pushkey };
}

function checkHttpPusher({ config }: PushContext, { appId, data }: PusherWish): void {
  if (appId === emailAppId) throw invalidParam(`The app id ${emailAppId} is for pushers of kind email`);
  checkPusherData(config, data);
}

async function checkMailPusher(ctx: PushContext, user: number, { appId, pushkey, data }: PusherWish): Promise<void> {
  if (!ctx.mailer.isConfigured) throw noSuchKind(emailKind);
  if (appId !== emailAppId) throw invalidParam(`The app id of pushers of kind email is ${emailAppId}`);
  checkPusherDataSize(data);
  if (!(await isOwnAddress(ctx.db, user, pushkey)))
    throw new MatrixError(400, 'M_THREEPID_NOT_FOUND', 'The pushkey is no e-mail address of the account');
}

/** Whether the account has confirmed the address. */
export async function isOwnAddress(db: Database, user: number, address: string): Promise<boolean> {
  const own = await db.all(threepidsOfUser, { user });
  return own.some((one) => one.medium === 'email' && one.address === address);
}

const noSuchKind = (kind: string): MatrixError => invalidParam(`This server has no pushers of kind ${kind}`);

function writePusher(ctx: PushContext, unit: UnitBuilder, owner: Owner, wish: PusherWish): void {
  const { userNid, deviceNid } = owner;
  unit.run(upsertPusher, {
    pusher: ctx.db.nextId(),
    user: userNid,
    appId: wish.appId,
    pushkey: wish.pushkey,
    kind: wish.kind,
    appDisplayName: wish.appDisplayName,
    deviceDisplayName: wish.deviceDisplayName,
    profileTag: wish.profileTag ?? null,
    lang: wish.lang,
    data: JSON.stringify(wish.data),
    enabled: wish.isEnabled ? 1 : 0,
    // An e-mail address is nobody's device.
    device: wish.kind === emailKind ? null : deviceNid,
    pushkeyTs: ctx.clock.nowMs(),
    // What came before it was made is not told.
    toldPos: unit.nextPos(),
  });
  unit.wake({ kind: 'pushers', userNid });
}

function writePusherRemoval(unit: UnitBuilder, userNid: number, { appId, pushkey }: PusherKey): void {
  unit.run(deletePusher, { user: userNid, appId, pushkey });
  unit.wake({ kind: 'pushers', userNid });
}

async function otherUsersOf(ctx: PushContext, { appId, pushkey }: PusherKey, user: number): Promise<number[]> {
  const rows = await ctx.db.all(usersOfPushkey, { appId, pushkey });
  return rows.map((row) => row.user_nid).filter((other) => other !== user);
}

const pusherLockKey = ({ appId, pushkey }: PusherKey): string => `${appId}\0${pushkey}`;

function pusherFrom(row: PusherRow): Pusher {
  return {
    appId: row.app_id,
    pushkey: row.pushkey,
    kind: row.kind,
    appDisplayName: row.app_display_name,
    deviceDisplayName: row.device_display_name,
    profileTag: row.profile_tag ?? undefined,
    lang: row.lang,
    data: JSON.parse(row.data) as JsonObject,
    isEnabled: row.enabled === 1,
    deviceId: row.device_id ?? undefined,
  };
}
