/** Tokens by which people show other services who they are. https://spec.matrix.org/v1.19/client-server-api/#openid */
import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import {
  deleteExpiredOpenIdTokens,
  deleteOldestOpenIdTokens,
  insertOpenIdToken,
  openIdToken,
} from '../storage/stores/openid-token-store.ts';
import type { AccountsContext } from './context.ts';
import { hashToken, isPlausibleToken, mintToken } from './token-format.ts';

/** A user has `limits.openIdTokensMax` at most: a new one takes the place of the oldest. */
export async function issueOpenIdToken(
  ctx: Pick<AccountsContext, 'db' | 'clock' | 'random'>,
  { userNid: user }: { readonly userNid: number },
): Promise<{ readonly token: string; readonly expiresInMs: number }> {
  const token = mintToken('openid', ctx.random);
  const nowMs = ctx.clock.nowMs();
  await ctx.db.write((unit) => {
    unit.run(deleteExpiredOpenIdTokens, { now: nowMs });
    unit.run(insertOpenIdToken, { hash: hashToken(token), user, expiresTs: nowMs + limits.openIdTokenMs });
    unit.run(deleteOldestOpenIdTokens, { user, kept: limits.openIdTokensMax });
  }).committed;
  return { token, expiresInMs: limits.openIdTokenMs };
}

/** Whose token it is. Throws 401 M_UNKNOWN_TOKEN, also for one of a user who is deactivated or locked. */
export async function openIdTokenOwner(ctx: Pick<AccountsContext, 'db' | 'clock'>, token: string): Promise<UserId> {
  const row = isPlausibleToken(token) ? await ctx.db.one(openIdToken, { hash: hashToken(token) }) : undefined;
  const isValid = row !== undefined && row.expires_ts > ctx.clock.nowMs();
  if (!isValid || row.deactivated_ts !== null || row.locked === 1)
    throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'Access token unknown or expired');
  return row.user_id as UserId;
}
