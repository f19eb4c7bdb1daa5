/** Whether something may be sent in the name of a user who does not ask for it at this moment. */
import { type Account, findAccountByNid, userDeactivated, userLocked } from './account.ts';
import type { AccountsContext } from './context.ts';
import { assertNotSuspended } from './suspension.ts';

/** Throws 403 M_USER_DEACTIVATED or M_USER_SUSPENDED, 401 M_USER_LOCKED. */
export async function assertMaySend(
  ctx: Pick<AccountsContext, 'db' | 'localServers'>,
  { userNid }: { readonly userNid: number },
): Promise<Account> {
  const account = await findAccountByNid(ctx, userNid);
  if (account === undefined || account.isDeactivated) throw userDeactivated();
  if (account.isLocked) throw userLocked();
  assertNotSuspended(account);
  return account;
}
