/**
 * How often a password may be wrong. Who knows a name could otherwise guess, or lock its owner out by guessing, so wrong
 * passwords are counted twice: for the account and the address together, which keeps others from nothing, and for the account
 * alone, where addresses count that none of its devices was seen at. docs/decisions/0017-wrong-passwords.md
 */
import { MatrixError } from '../matrix/errors.ts';
import { callerOfAddress } from '../platform/caller-of-address.ts';
import { limits } from '../platform/limits.ts';
import { devicesOfUser } from '../storage/stores/device-store.ts';
import type { Account } from './account.ts';
import type { AccountsContext } from './context.ts';
import type { UserIdentifier } from './user-identifier.ts';

type Counting = Pick<AccountsContext, 'db' | 'localServers' | 'attempts'>;

/** From where somebody gives a password: an address; a session of the account; a request whose address does not count. */
export type AttemptOrigin =
  { readonly kind: 'address'; readonly address: string } | { readonly kind: 'session' } | { readonly kind: 'anywhere' };

/**
 * Counts the attempt as if the password were wrong, before it is looked at: many at once must not pass together. To be
 * undone when it was right. Throws 429 M_LIMIT_EXCEEDED.
 */
export async function countAttempt(
  ctx: Counting,
  account: Account | undefined,
  identifier: UserIdentifier,
  origin: AttemptOrigin,
): Promise<{ undo(): void }> {
  const { attempts } = ctx;
  if (attempts === undefined) return { undo: () => undefined };
  const name = attemptsOn(ctx, account, identifier);
  const place = `${name} ${origin.kind === 'address' ? callerOfAddress(origin.address) : origin.kind}`;
  const retryAfterMs = attempts.take('loginFailures', 'account', place);
  if (retryAfterMs > 0) throw tooManyAttempts(retryAfterMs);
  const accountRetryAfterMs = origin.kind === 'session' ? 0 : attempts.take('accountFailures', 'account', name);
  const isCounted = origin.kind !== 'session' && accountRetryAfterMs === 0;
  if (accountRetryAfterMs > 0 && !(await isKnownOrigin(ctx, account, origin))) {
    attempts.giveBack('loginFailures', 'account', place);
    throw tooManyAttempts(accountRetryAfterMs);
  }
  return {
    undo() {
      attempts.giveBack('loginFailures', 'account', place);
      if (isCounted) attempts.giveBack('accountFailures', 'account', name);
    },
  };
}

/** Whether a device of the account was last seen there: others may have drained the account's attempts. */
async function isKnownOrigin(
  ctx: Pick<Counting, 'db'>,
  account: Account | undefined,
  origin: AttemptOrigin,
): Promise<boolean> {
  if (account === undefined || origin.kind !== 'address') return false;
  const caller = callerOfAddress(origin.address);
  const devices = await ctx.db.all(devicesOfUser, { user: account.userNid });
  return devices.some(({ last_seen_ip: seen }) => seen !== null && callerOfAddress(seen) === caller);
}

function tooManyAttempts(retryAfterMs: number): MatrixError {
  return new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many attempts to log in to this account', {
    retry_after_ms: Math.ceil(retryAfterMs),
  });
}

/** The same for every spelling of a name, or people would learn from what is counted together who is there. */
function attemptsOn(ctx: Counting, account: Account | undefined, identifier: UserIdentifier): string {
  if (account !== undefined) return `account ${account.userId.toLowerCase()}`;
  if (identifier.kind === 'threepid')
    return `${identifier.medium} ${identifier.addresses[0] ?? ''}`.slice(0, limits.idBytesMax);
  const { user } = identifier;
  const userId = user.startsWith('@') ? user : `@${user}:${ctx.localServers.main}`;
  return `account ${userId.slice(0, limits.idBytesMax).toLowerCase()}`;
}
