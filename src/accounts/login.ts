/** Logging in by password and by token. https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
import { MatrixError } from '../matrix/errors.ts';
import { limits } from '../platform/limits.ts';
import { confirmPasswordHash, replacePasswordHash } from '../storage/stores/account-store.ts';
import {
  deleteExpiredLoginTokens,
  deleteLoginToken,
  insertLoginToken,
  loginToken,
} from '../storage/stores/login-token-store.ts';
import { type Account, findAccountByNid, findIdentified, userDeactivated, userLocked } from './account.ts';
import type { AccountsContext } from './context.ts';
import {
  beginSession,
  isUnexpectedChange,
  loginFailed,
  type NewSession,
  type SessionRequest,
  whilePasswordStands,
} from './sessions.ts';
import { hashToken, isPlausibleToken, mintToken } from './token-format.ts';
import type { UserIdentifier } from './user-identifier.ts';

type Checking = Pick<AccountsContext, 'db' | 'localServers' | 'passwords' | 'attempts'>;
type LoggingIn = Checking & Pick<AccountsContext, 'locks' | 'clock' | 'random'>;

/**
 * Throws 403 M_FORBIDDEN for a wrong name or password alike, 401 M_USER_LOCKED, 429 M_LIMIT_EXCEEDED. A hash that was made
 * at another cost than today's is made anew. A password that is changed meanwhile begins no session.
 */
export async function logInWithPassword(
  ctx: LoggingIn,
  identifier: UserIdentifier,
  password: string,
  request: SessionRequest,
): Promise<NewSession> {
  const account = await checkPassword(ctx, identifier, password);
  if (account === undefined) throw loginFailed('Invalid username or password');
  if (account.isLocked) throw userLocked();
  const { userNid: user, passwordHash: was = '' } = account;
  const passwordHash = ctx.passwords.isCurrent(was) ? was : await ctx.passwords.hash(password);
  try {
    return await beginSession(ctx, account, request, (unit) =>
      unit.run(replacePasswordHash, { user, was, passwordHash }, { changes: 1 }),
    );
  } catch (error) {
    if (!isUnexpectedChange(error)) throw error;
    // Another password, or the hash of the same one at another cost: looking again tells.
    return logInWithPassword(ctx, identifier, password, request);
  }
}

/** Throws 403 M_FORBIDDEN for a token that is unknown, used or expired; M_USER_DEACTIVATED; 401 M_USER_LOCKED. */
export async function logInWithToken(ctx: LoggingIn, token: string, request: SessionRequest): Promise<NewSession> {
  const hash = isPlausibleToken(token) ? hashToken(token) : undefined;
  const row = hash && (await ctx.db.one(loginToken, { hash }));
  if (hash === undefined || row === undefined || row.expires_ts <= ctx.clock.nowMs()) throw invalidToken();
  const account = await findAccountByNid(ctx, row.user_nid);
  if (account === undefined) throw invalidToken();
  if (account.isDeactivated) throw userDeactivated();
  if (account.isLocked) throw userLocked();
  try {
    return await beginSession(ctx, account, request, (unit) => unit.run(deleteLoginToken, { hash }, { changes: 1 }));
  } catch (error) {
    throw isUnexpectedChange(error) ? invalidToken() : error;
  }
}

/**
 * A token for one login within the next minutes. `passwordHash`: of the password that was proven for it.
 * Throws 403 M_FORBIDDEN when that was changed meanwhile.
 */
export async function issueLoginToken(
  ctx: Pick<AccountsContext, 'db' | 'clock' | 'random'>,
  userNid: number,
  passwordHash: string,
): Promise<{ readonly loginToken: string; readonly expiresInMs: number }> {
  const token = mintToken('login', ctx.random);
  const nowMs = ctx.clock.nowMs();
  const issued = ctx.db.write((unit) => {
    unit.run(confirmPasswordHash, { user: userNid, passwordHash }, { changes: 1 });
    unit.run(deleteExpiredLoginTokens, { now: nowMs });
    unit.run(insertLoginToken, { hash: hashToken(token), user: userNid, expiresTs: nowMs + limits.loginTokenMs });
  });
  await whilePasswordStands(issued.committed);
  return { loginToken: token, expiresInMs: limits.loginTokenMs };
}

/**
 * The account whose password this is; undefined for a wrong name or password, and for a deactivated account, which has
 * none. It takes the same time whether the account exists or not. Throws 429 M_LIMIT_EXCEEDED.
 */
export async function checkPassword(
  ctx: Checking,
  identifier: UserIdentifier,
  password: string,
): Promise<Account | undefined> {
  const account = await findIdentified(ctx, identifier);
  countAttempt(ctx, attemptsOn(ctx, account, identifier));
  const isRight = await ctx.passwords.verify(password, account?.passwordHash);
  return isRight ? account : undefined;
}

function countAttempt(ctx: Checking, who: string): void {
  const retryAfterMs = ctx.attempts?.take('login', who) ?? 0;
  if (retryAfterMs === 0) return;
  throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many attempts to log in to this account', {
    retry_after_ms: Math.ceil(retryAfterMs),
  });
}

/**
 * The same for every spelling of a name, or people would learn from what is counted together who is there. What counts calls
 * of addresses by the same limiter must not be drained by a name that looks like one, hence the prefix.
 */
function attemptsOn(ctx: Checking, account: Account | undefined, identifier: UserIdentifier): string {
  if (account !== undefined) return `account ${account.userId.toLowerCase()}`;
  if (identifier.kind === 'threepid')
    return `${identifier.medium} ${identifier.addresses[0] ?? ''}`.slice(0, limits.idBytesMax);
  const { user } = identifier;
  const userId = user.startsWith('@') ? user : `@${user}:${ctx.localServers.main}`;
  return `account ${userId.slice(0, limits.idBytesMax).toLowerCase()}`;
}

const invalidToken = (): MatrixError => loginFailed('The login token is unknown, used or expired');
