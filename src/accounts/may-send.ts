/** Whether something may be sent in the name of a user who does not ask for it at this moment. */
import { validityOfUser } from '../storage/stores/account-validity-store.ts';
import { type Account, accountExpired, findAccountByNid, userDeactivated, userLocked } from './account.ts';
import type { AccountsContext } from './context.ts';
import { assertNotSuspended } from './suspension.ts';

/** Throws 403 M_USER_DEACTIVATED, M_USER_SUSPENDED or ORG_MATRIX_EXPIRED_ACCOUNT, 401 M_USER_LOCKED. */
export async function assertMaySend(
  ctx: Pick<AccountsContext, 'db' | 'localServers' | 'clock'>,
  { userNid }: { readonly userNid: number },
): Promise<Account> {
  const account = await findAccountByNid(ctx, userNid);
  if (account === undefined || account.isDeactivated) throw userDeactivated();
  if (account.isLocked) throw userLocked();
  assertNotSuspended(account);
  const validity = account.isAdmin ? undefined : await ctx.db.one(validityOfUser, { user: userNid });
  if (validity !== undefined && validity.expires_ts <= ctx.clock.nowMs()) throw accountExpired();
  return account;
}
