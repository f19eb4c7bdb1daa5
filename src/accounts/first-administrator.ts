/**
 * The first administrator of a new server: whoever opens the link that the start prints. Its token is kept as a hash, a new
 * start makes a new one, and it is used up in the same unit that makes the account.
 */
import { timingSafeEqual } from 'node:crypto';
import { forbidden } from '../matrix/errors.ts';
import { findServerFact, setServerFact } from '../storage/server-facts.ts';
import { administratorCount } from '../storage/stores/account-store.ts';
import { takeServerFact } from '../storage/stores/server-fact-store.ts';
import type { AccountsContext } from './context.ts';
import { createAccount } from './create-account.ts';
import { isUnexpectedChange, type NewSession, type SessionRequest } from './sessions.ts';
import { hashToken, mintToken } from './token-format.ts';
import { userIdForRegistration } from './username.ts';

/** Whether the server has no administrator. */
export async function isFirstAdministratorDue(ctx: Pick<AccountsContext, 'db'>): Promise<boolean> {
  return (await ctx.db.one(administratorCount, {}))?.administrators === 0;
}

/** A token for the link, good until it is used or the next one is minted; undefined when there is an administrator. */
export async function mintFirstAdministratorToken(
  ctx: Pick<AccountsContext, 'db' | 'random'>,
): Promise<string | undefined> {
  if (!(await isFirstAdministratorDue(ctx))) return undefined;
  const token = mintToken('setup', ctx.random);
  await setServerFact(ctx.db, factName, hashToken(token).toString('hex'));
  return token;
}

/**
 * Throws 403 M_FORBIDDEN when the token is wrong or used, or there is an administrator; and what `createAccount` throws, in
 * which case the token stays good.
 */
export async function createFirstAdministrator(
  ctx: AccountsContext,
  token: string,
  account: { readonly username: string; readonly password: string },
  session: SessionRequest,
): Promise<NewSession> {
  const kept = await findServerFact(ctx.db, factName);
  const expected = Buffer.from(kept ?? '', 'hex');
  const given = hashToken(token);
  const isRight = expected.length === given.length && timingSafeEqual(expected, given);
  if (kept === undefined || !isRight || !(await isFirstAdministratorDue(ctx))) throw linkIsUsed();
  const { username, password } = account;
  const userId = userIdForRegistration(ctx, username);
  try {
    const created = await createAccount(
      ctx,
      { userId, password, isAdmin: true, displayName: username },
      session,
      (unit) => unit.run(takeServerFact, { name: factName, value: kept }, { changes: 1 }),
    );
    if (created.session === undefined) throw new Error('a session was asked for');
    return created.session;
  } catch (error) {
    throw isUnexpectedChange(error) ? linkIsUsed() : error;
  }
}

const factName = 'first_administrator_token_hash';
const linkIsUsed = () => forbidden('This link is wrong, was used, or is no longer needed');
