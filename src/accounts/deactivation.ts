/** The end of an account. https://spec.matrix.org/v1.19/client-server-api/#account-deactivation */
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { deleteAccountData } from '../storage/stores/account-data-store.ts';
import {
  confirmPasswordHash,
  deactivateAccount,
  deactivatedInRooms,
  reactivateAccount,
} from '../storage/stores/account-store.ts';
import {
  deleteCrossSigningKeys,
  deleteSignaturesOfOthers,
  deleteSignaturesOfUser,
} from '../storage/stores/cross-signing-store.ts';
import { deleteDelayedEventsOfUser } from '../storage/stores/delayed-event-store.ts';
import { devicesOfUser } from '../storage/stores/device-store.ts';
import { deleteFilters } from '../storage/stores/filter-store.ts';
import { deleteBackedUpKeysOfUser, deleteKeyBackupsOfUser } from '../storage/stores/key-backup-store.ts';
import { deleteLoginTokensOfUser } from '../storage/stores/login-token-store.ts';
import { deleteOpenIdTokensOfUser } from '../storage/stores/openid-token-store.ts';
import { deleteProfile } from '../storage/stores/profile-store.ts';
import { deletePushRulesetOfUser } from '../storage/stores/push-ruleset-store.ts';
import { deleteThreadSubscriptions } from '../storage/stores/thread-subscription-store.ts';
import { deletePushersOfUser } from '../storage/stores/pusher-store.ts';
import { deleteThreepidsOfUser } from '../storage/stores/threepid-store.ts';
import { findAccountByNid } from './account.ts';
import type { AccountsContext } from './context.ts';
import { writeDeviceListChange, writeDeviceRemoval } from './devices.ts';
import type { InteractiveAuth } from './interactive-auth.ts';
import type { Requester } from './requester.ts';
import { whilePasswordStands } from './sessions.ts';
import { writeUserWords } from './user-words.ts';

type Deactivating = Pick<AccountsContext, 'db' | 'locks' | 'clock' | 'departure' | 'outgoingDevices'>;

/**
 * Deactivates the requester's account, or the one whose password is given. Throws 401 while the password is missing.
 * Nothing was ever bound to an identity server, so there is nothing to unbind.
 */
export async function deactivateOwnAccount(
  ctx: AccountsContext & { readonly interactiveAuth: InteractiveAuth },
  requester: Requester | undefined,
  request: { readonly erase: boolean; readonly auth: JsonObject | undefined },
): Promise<void> {
  const { erase, auth } = request;
  const authorised = await ctx.interactiveAuth.authorise(
    { name: 'deactivateAccount', parameters: { erase }, requester, flows: [['m.login.password']] },
    auth,
  );
  // Done already, and the answer got lost.
  if (authorised.outcome !== undefined) return;
  const { userNid, passwordHash: provenHash } = authorised;
  const account = userNid === undefined ? undefined : await findAccountByNid(ctx, userNid);
  if (account === undefined) throw new Error('a password stage proves whose account it is');
  await deactivate(ctx, account, { isErased: erase, provenHash });
  authorised.succeeded(true);
}

/**
 * First, in one unit, nobody can log in any more and what only they could see is gone; then the rooms are left, which a
 * start resumes if it was interrupted. With `isErased` the profile and everything else that is not an event goes too, and
 * newcomers get no event of the user but in its redacted form from then on.
 * `provenHash`: of the password that allows it. Throws 403 M_FORBIDDEN when that was changed meanwhile.
 */
export async function deactivate(
  ctx: Deactivating,
  account: { readonly userNid: number; readonly userId: UserId },
  options: { readonly isErased: boolean; readonly provenHash?: string | undefined },
): Promise<void> {
  const { userNid: user, userId } = account;
  const { isErased, provenHash: passwordHash } = options;
  await ctx.locks.run(user, async () => {
    const devices = await ctx.db.all(devicesOfUser, { user });
    const deactivated = ctx.db.write((unit) => {
      if (passwordHash !== undefined) unit.run(confirmPasswordHash, { user, passwordHash }, { changes: 1 });
      const pos = isErased ? unit.nextPos() : 0;
      unit.run(deactivateAccount, { user, ts: ctx.clock.nowMs(), erased: pos });
      unit.run(deleteLoginTokensOfUser, { user });
      unit.run(deleteThreepidsOfUser, { user });
      unit.run(deletePushRulesetOfUser, { user });
      unit.run(deleteBackedUpKeysOfUser, { user });
      unit.run(deleteKeyBackupsOfUser, { user });
      unit.run(deleteDelayedEventsOfUser, { user });
      unit.run(deleteOpenIdTokensOfUser, { user });
      unit.run(deleteThreadSubscriptions, { user });
      unit.run(deletePushersOfUser, { user });
      if (isErased) {
        unit.run(deleteProfile, { user });
        writeUserWords(unit, account, undefined);
        unit.run(deleteAccountData, { user });
        unit.run(deleteFilters, { user });
        unit.wake({ kind: 'profile', userNid: user, pos, member: {} });
        unit.wake({ kind: 'erasure', userId, since: pos });
      }
      unit.run(deleteCrossSigningKeys, { user });
      unit.run(deleteSignaturesOfUser, { user });
      unit.run(deleteSignaturesOfOthers, { signer: user });
      writeDeviceRemoval(ctx, unit, user, devices);
      writeDeviceListChange(ctx, unit, user, unit.nextPos(), []);
      unit.wake({ kind: 'access', userNid: user });
      unit.wake({ kind: 'account', userNid: user, isActive: false });
    });
    await whilePasswordStands(deactivated.committed);
  });
  await ctx.departure.leaveAllRooms(userId);
}

/** Finishes deactivations that a crash interrupted. To be called once after the start. */
export async function resumeDeactivations(ctx: Pick<AccountsContext, 'db' | 'departure'>): Promise<void> {
  for (const { user_id: userId } of await ctx.db.all(deactivatedInRooms, {}))
    await ctx.departure.leaveAllRooms(userId as UserId);
}

/** An administrator brings an account back; its rooms and its data do not come back with it, only what was erased of its events does. */
export async function reactivate(
  ctx: Pick<AccountsContext, 'db' | 'locks' | 'passwords'>,
  { userNid, userId }: { readonly userNid: number; readonly userId: UserId },
  password: string | undefined,
): Promise<void> {
  const passwordHash = password === undefined ? null : await ctx.passwords.hash(password);
  await ctx.locks.run(userNid, async () => {
    await ctx.db.write((unit) => {
      unit.run(reactivateAccount, { user: userNid, passwordHash });
      unit.wake({ kind: 'access', userNid });
      unit.wake({ kind: 'erasure', userId, since: undefined });
      unit.wake({ kind: 'account', userNid, isActive: true });
    }).committed;
  });
}
