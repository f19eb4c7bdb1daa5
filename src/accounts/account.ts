/** Local accounts: finding them, by id or by what a client calls them. */
import { MatrixError, notFound } from '../matrix/errors.ts';
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import { isUserId, serverNameOf } from '../matrix/ids/user-id.ts';
import { type AccountRow, accountOfThreepid, accountOfUser, accountOfUserId } from '../storage/stores/account-store.ts';
import type { AccountsContext } from './context.ts';
import type { UserIdentifier } from './user-identifier.ts';

export interface Account {
  readonly userNid: number;
  readonly userId: UserId;
  readonly kind: 'user' | 'guest' | 'appservice';
  readonly userType: string | undefined;
  readonly passwordHash: string | undefined;
  readonly isAdmin: boolean;
  readonly createdTs: number;
  readonly isDeactivated: boolean;
  readonly isErased: boolean;
  readonly isLocked: boolean;
  readonly isSuspended: boolean;
  readonly isShadowBanned: boolean;
}

type Reading = Pick<AccountsContext, 'db' | 'localServers'>;

export async function findAccount(ctx: Pick<Reading, 'db'>, userId: UserId): Promise<Account | undefined> {
  const row = await ctx.db.one(accountOfUserId, { userId });
  return row && accountOf(row);
}

export async function findAccountByNid(ctx: Pick<Reading, 'db'>, userNid: number): Promise<Account | undefined> {
  const row = await ctx.db.one(accountOfUser, { user: userNid });
  return row && accountOf(row);
}

/** Throws 404 M_NOT_FOUND. */
export async function getAccount(ctx: Pick<Reading, 'db'>, userId: UserId): Promise<Account> {
  const account = await findAccount(ctx, userId);
  if (account === undefined) throw notFound('There is no such user here');
  return account;
}

/** Whether there is such an account here, and it is not deactivated. */
export async function isActive(ctx: Reading, userId: UserId): Promise<boolean> {
  return (await findAccount(ctx, userId))?.isDeactivated === false;
}

/** Whom a client means; undefined when it is nobody of this server. */
export async function findIdentified(ctx: Reading, identifier: UserIdentifier): Promise<Account | undefined> {
  if (identifier.kind === 'threepid') {
    const { medium, addresses } = identifier;
    const rows = await ctx.db.all(accountOfThreepid, { medium, addresses });
    return rows[0] && accountOf(rows[0]);
  }
  for (const userId of candidateIds(identifier.user, ctx.localServers.main)) {
    if (!ctx.localServers.isLocal(serverNameOf(userId))) continue;
    const account = await findAccount(ctx, userId);
    if (account !== undefined) return account;
  }
  return undefined;
}

/** The id as it was typed, then in lower case: today's ids have no capitals, old ones may. */
function candidateIds(user: string, server: ServerName): readonly UserId[] {
  const typed = user.startsWith('@') ? user : `@${user}:${server}`;
  const colon = typed.indexOf(':');
  const lower = typed.slice(0, colon).toLowerCase() + typed.slice(colon);
  return [...new Set([typed, lower])].filter(isUserId);
}

/** 403, for whoever proves to be the owner of an account that is no more. */
export const userDeactivated = (): MatrixError =>
  new MatrixError(403, 'M_USER_DEACTIVATED', 'This account has been deactivated');

/** https://spec.matrix.org/v1.19/client-server-api/#account-locking */
export const userLocked = (): MatrixError =>
  new MatrixError(401, 'M_USER_LOCKED', 'This account has been locked', { soft_logout: true });

/** For accounts that were not renewed in time, with the code that clients know from Synapse. */
export const accountExpired = (): MatrixError =>
  new MatrixError(403, 'ORG_MATRIX_EXPIRED_ACCOUNT', 'This account has expired');

function accountOf(row: AccountRow): Account {
  return {
    userNid: row.user_nid,
    userId: row.user_id as UserId,
    kind: row.kind === 'guest' || row.kind === 'appservice' ? row.kind : 'user',
    userType: row.user_type ?? undefined,
    passwordHash: row.password_hash ?? undefined,
    isAdmin: row.admin === 1,
    createdTs: row.created_ts,
    isDeactivated: row.deactivated_ts !== null,
    isErased: row.erased > 0,
    isLocked: row.locked === 1,
    isSuspended: row.suspended === 1,
    isShadowBanned: row.shadow_banned === 1,
  };
}
