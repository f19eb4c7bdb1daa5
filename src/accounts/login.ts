/** Logging in by password and by token. https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
import type { MatrixError } from '../matrix/errors.ts';
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
import { type AttemptOrigin, countAttempt } from './login-attempts.ts';
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
  const account = await checkPassword(ctx, identifier, password, { kind: 'address', address: request.client.address });
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
  origin: AttemptOrigin,
): Promise<Account | undefined> {
  const account = await findIdentified(ctx, identifier);
  const attempt = await countAttempt(ctx, account, identifier, origin);
  const isRight = await ctx.passwords.verify(password, account?.passwordHash);
  if (isRight) attempt.undo();
  return isRight ? account : undefined;
}

const invalidToken = (): MatrixError => loginFailed('The login token is unknown, used or expired');
