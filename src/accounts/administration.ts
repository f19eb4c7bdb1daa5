/** What administrators do with accounts, with the meaning that Synapse's admin API gives it. */
import { forbidden, invalidParam, MatrixError, notFound } from '../matrix/errors.ts';
import { canonicalEmail } from '../matrix/ids/email.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { localpartOf, serverNameOf } from '../matrix/ids/user-id.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { UniqueViolation, UnitFailed } from '../storage/database.ts';
import { setAdmin, setLocked, setSuspended, setUserType } from '../storage/stores/account-store.ts';
import { deletePusher, emailAppId } from '../storage/stores/pusher-store.ts';
import {
  deleteThreepidsOfUser,
  insertThreepid,
  type ThreepidRow,
  threepidsOfUser,
} from '../storage/stores/threepid-store.ts';
import { type Account, findAccount, getAccount } from './account.ts';
import { setPassword } from './change-password.ts';
import type { AccountsContext } from './context.ts';
import { createAccount } from './create-account.ts';
import { deactivate, reactivate } from './deactivation.ts';
import type { DeviceActivity } from './device-activity.ts';
import { type Device, listDevices } from './devices.ts';
import { checkNewPassword } from './password-policy.ts';
import { getLocalProfile, writeProfile } from './profiles.ts';
import type { Requester } from './requester.ts';
import { userIdOfUsername } from './username.ts';

export interface Threepid {
  readonly medium: string;
  readonly address: string;
}
/** What is absent stays as it is. */
export interface AccountChange {
  readonly password?: string | undefined;
  /** When the password is changed; true unless said otherwise. */
  readonly logoutDevices?: boolean | undefined;
  /** null: none. */
  readonly displayName?: string | null | undefined;
  readonly avatarUrl?: string | null | undefined;
  readonly isAdmin?: boolean | undefined;
  /** null: an ordinary person. */
  readonly userType?: 'bot' | 'support' | null | undefined;
  readonly isDeactivated?: boolean | undefined;
  readonly isLocked?: boolean | undefined;
  /** All of them. */
  readonly threepids?: readonly Threepid[] | undefined;
}
export interface AdministeredAccount extends Account {
  readonly displayName: string | undefined;
  readonly avatarUrl: string | undefined;
  readonly lastSeenTs: number | undefined;
  readonly threepids: readonly ThreepidRow[];
}

type Administering = AccountsContext & { readonly activity: DeviceActivity };

/** Throws 400 M_INVALID_PARAM for a user of another server, 404 M_NOT_FOUND. */
export async function readAccount(ctx: Administering, userId: UserId): Promise<AdministeredAccount> {
  assertLocal(ctx, userId);
  const account = await getAccount(ctx, userId);
  const profile: JsonObject = account.isErased ? {} : await getLocalProfile(ctx, userId);
  const lastSeen = (await listDevices(ctx, account.userNid)).flatMap(({ lastSeenTs }) => lastSeenTs ?? []);
  return {
    ...account,
    displayName: text(profile['displayname']),
    avatarUrl: text(profile['avatar_url']),
    lastSeenTs: lastSeen.length === 0 ? undefined : Math.max(...lastSeen),
    threepids: await listThreepids(ctx, account.userNid),
  };
}

export async function listThreepids(
  ctx: Pick<AccountsContext, 'db'>,
  userNid: number,
): Promise<readonly ThreepidRow[]> {
  return ctx.db.all(threepidsOfUser, { user: userNid });
}

/** For "whois": the devices with when and from where they were last seen. Throws as `readAccount`. */
export async function readDevices(ctx: Administering, userId: UserId): Promise<readonly Device[]> {
  assertLocal(ctx, userId);
  return listDevices(ctx, (await getAccount(ctx, userId)).userNid);
}

/**
 * Makes the account if it is not there, otherwise changes it. Everything is checked before anything is written; the parts
 * are then units of their own. Throws 400 for what cannot be, M_THREEPID_IN_USE among it.
 */
export async function putAccount(
  ctx: Administering,
  requester: Pick<Requester, 'userNid'>,
  userId: UserId,
  change: AccountChange,
): Promise<{ readonly isNew: boolean }> {
  assertLocal(ctx, userId);
  const threepids = change.threepids?.map(canonicalThreepid);
  if (change.password !== undefined) checkNewPassword(change.password, ctx.config.password.minimumLength);
  const present = await findAccount(ctx, userId);
  if (present === undefined) await createByAdministrator(ctx, userId, change);
  else assertPossible(present, requester, change);
  const account = present ?? (await getAccount(ctx, userId));
  if (present !== undefined && change.password !== undefined && !present.isDeactivated)
    await setPassword(ctx, present.userNid, change.password, {
      logoutDevices: change.logoutDevices !== false,
      keptDeviceNid: undefined,
      provenHash: undefined,
    });
  await applyActivity(ctx, account, change);
  await applyFlags(ctx, account, change);
  if (threepids !== undefined) await replaceThreepids(ctx, account.userNid, threepids);
  await writeProfile(ctx, account, {
    ...(change.displayName === undefined ? {} : { displayname: change.displayName ?? undefined }),
    ...(change.avatarUrl === undefined ? {} : { avatar_url: change.avatarUrl ?? undefined }),
  });
  return { isNew: present === undefined };
}

/**
 * Whether an account may be locked or suspended by this administrator, and its present state. Throws 400 M_INVALID_PARAM,
 * 403 M_FORBIDDEN for another administrator, 404 M_NOT_FOUND for nobody and for deactivated accounts.
 * https://spec.matrix.org/v1.19/client-server-api/#server-administration
 */
export async function getModeratedAccount(ctx: AccountsContext, userId: UserId): Promise<Account> {
  assertLocal(ctx, userId);
  const account = await findAccount(ctx, userId);
  if (account === undefined || account.isDeactivated) throw notFound('User not found.');
  if (account.isAdmin) throw forbidden('Administrators cannot be locked or suspended');
  return account;
}

/** Locks or suspends, or lifts that. Throws as `getModeratedAccount`, and 403 for the own account. */
export async function moderateAccount(
  ctx: AccountsContext,
  requester: Pick<Requester, 'userId'>,
  userId: UserId,
  change: { readonly isLocked?: boolean; readonly isSuspended?: boolean },
): Promise<void> {
  if (requester.userId === userId) throw forbidden('You cannot lock or suspend yourself');
  await applyFlags(ctx, await getModeratedAccount(ctx, userId), change);
}

function assertLocal(ctx: Pick<AccountsContext, 'localServers'>, userId: UserId): void {
  if (!ctx.localServers.isLocal(serverNameOf(userId))) throw invalidParam('User does not belong to the local server.');
}

function assertPossible(account: Account, requester: Pick<Requester, 'userNid'>, change: AccountChange): void {
  if (change.isAdmin === false && account.userNid === requester.userNid)
    throw new MatrixError(400, 'M_UNKNOWN', 'You may not demote yourself.');
  if (change.isLocked === true && change.isDeactivated === true)
    throw invalidParam('An account cannot be deactivated and locked at once');
  if (change.isDeactivated === false && account.isDeactivated && change.password === undefined)
    throw invalidParam('Must provide a password to re-activate an account.');
}

async function applyActivity(ctx: Administering, account: Account, change: AccountChange): Promise<void> {
  if (change.isDeactivated === true && !account.isDeactivated) await deactivate(ctx, account, { isErased: false });
  if (change.isDeactivated === false && account.isDeactivated) await reactivate(ctx, account, change.password);
}

async function createByAdministrator(ctx: Administering, userId: UserId, change: AccountChange): Promise<void> {
  // Whoever is made here must have an id as today's grammar has it.
  const localpart = localpartOf(userId);
  if (userIdOfUsername(localpart, serverNameOf(userId)) !== userId)
    throw new MatrixError(400, 'M_INVALID_USERNAME', 'A username has no capital letters');
  await createAccount(ctx, {
    userId,
    password: change.password,
    isAdmin: change.isAdmin === true,
    userType: change.userType ?? undefined,
    displayName: change.displayName === null ? undefined : (change.displayName ?? localpart),
  });
}

async function applyFlags(
  ctx: Pick<AccountsContext, 'db'>,
  account: Account,
  change: Pick<AccountChange, 'isAdmin' | 'userType' | 'isLocked'> & { readonly isSuspended?: boolean },
): Promise<void> {
  const user = account.userNid;
  const { isAdmin, isLocked, isSuspended, userType } = change;
  if ([isAdmin, isLocked, isSuspended, userType].every((flag) => flag === undefined)) return;
  await ctx.db.write((unit) => {
    if (isAdmin !== undefined) unit.run(setAdmin, { user, admin: isAdmin ? 1 : 0 });
    if (isLocked !== undefined) unit.run(setLocked, { user, locked: isLocked ? 1 : 0 });
    if (isSuspended !== undefined) unit.run(setSuspended, { user, suspended: isSuspended ? 1 : 0 });
    if (userType !== undefined) unit.run(setUserType, { user, userType });
    unit.wake({ kind: 'access', userNid: user });
  }).committed;
}

async function replaceThreepids(
  ctx: Pick<AccountsContext, 'db' | 'locks' | 'clock'>,
  user: number,
  threepids: readonly Threepid[],
): Promise<void> {
  await ctx.locks.run(user, async () => {
    const present = await ctx.db.all(threepidsOfUser, { user });
    const nowMs = ctx.clock.nowMs();
    const replaced = ctx.db.write((unit) => {
      unit.run(deleteThreepidsOfUser, { user });
      for (const { medium, address } of threepids) {
        const known = present.find((one) => one.medium === medium && one.address === address);
        const { added_ts: addedTs, validated_ts: validatedTs } = known ?? { added_ts: nowMs, validated_ts: nowMs };
        unit.run(insertThreepid, { medium, address, user, addedTs, validatedTs });
      }
      for (const { medium, address } of present) {
        if (threepids.some((one) => one.medium === medium && one.address === address)) continue;
        unit.run(deletePusher, { user, appId: emailAppId, pushkey: address });
        unit.wake({ kind: 'threepid-removed', userNid: user, medium, address });
      }
    });
    try {
      await replaced.committed;
    } catch (error) {
      const isTaken = error instanceof UnitFailed && error.cause instanceof UniqueViolation;
      throw isTaken ? new MatrixError(400, 'M_THREEPID_IN_USE', 'The address belongs to another account') : error;
    }
  });
}

function canonicalThreepid({ medium, address }: Threepid): Threepid {
  const canonical =
    medium === 'email' ? canonicalEmail(address) : medium === 'msisdn' ? /^\d{3,20}$/.exec(address)?.[0] : undefined;
  if (canonical === undefined) throw invalidParam('A threepid is an email address, or an msisdn of digits only');
  return { medium, address: canonical };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
