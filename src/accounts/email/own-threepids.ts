/** The e-mail addresses of one's own account. Nothing of them is told to identity servers. */
import { MatrixError } from '../../matrix/errors.ts';
import { canonicalEmail } from '../../matrix/ids/email.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { UniqueViolation, UnitFailed } from '../../storage/database.ts';
import { deleteEmailSession, deleteEmailSessionsOf } from '../../storage/stores/email-session-store.ts';
import { deletePusher, emailAppId } from '../../storage/stores/pusher-store.ts';
import { deleteThreepid, insertThreepid, threepidsOfUser } from '../../storage/stores/threepid-store.ts';
import type { AccountsContext } from '../context.ts';
import type { InteractiveAuth } from '../interactive-auth.ts';
import type { Requester } from '../requester.ts';
import { isUnexpectedChange } from '../sessions.ts';
import type { EmailCredentials, EmailSessions } from './email-sessions.ts';

type Owning = Pick<AccountsContext, 'db' | 'locks' | 'clock'> & {
  readonly interactiveAuth: InteractiveAuth;
  readonly emailSessions: EmailSessions;
};

/**
 * Adds a confirmed address, which from then on can set a new password: hence the password is asked for. Throws 401 while
 * that is missing, 400 M_THREEPID_AUTH_FAILED while the address is not confirmed, M_THREEPID_IN_USE, M_LIMIT_EXCEEDED.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pidadd
 */
export async function addEmail(
  ctx: Owning,
  requester: Requester,
  credentials: EmailCredentials,
  auth: JsonObject | undefined,
): Promise<void> {
  const { sid } = credentials;
  const operation = { name: 'add3PID', parameters: { sid }, requester, flows: [['m.login.password']] } as const;
  if (ctx.interactiveAuth.findOutcome(operation, auth) !== undefined) return;
  const confirmed = await ctx.emailSessions.findConfirmed(credentials, 'add');
  if (confirmed === undefined) throw notConfirmed();
  const authorised = await ctx.interactiveAuth.authorise(operation, auth);
  const { address, validatedTs } = confirmed;
  const { userNid: user } = requester;
  await ctx.locks.run(user, async () => {
    const present = await ctx.db.all(threepidsOfUser, { user });
    const isPresent = present.some((one) => one.medium === 'email' && one.address === address);
    if (!isPresent && present.length >= limits.threepidsPerUserMax)
      throw new MatrixError(400, 'M_LIMIT_EXCEEDED', `An account has at most ${limits.threepidsPerUserMax} addresses`);
    const added = ctx.db.write((unit) => {
      unit.run(deleteEmailSession, { sid }, { changes: 1 });
      if (!isPresent)
        unit.run(insertThreepid, { medium: 'email', address, user, addedTs: ctx.clock.nowMs(), validatedTs });
    });
    await translated(added.committed);
  });
  authorised.succeeded(true);
}

/**
 * Takes an address from the account; one that it does not have is as good as taken. What was begun with it, such as a new
 * password, can no longer be finished.
 */
export async function removeThreepid(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  { userNid: user }: Pick<Requester, 'userNid'>,
  medium: string,
  given: string,
): Promise<void> {
  const address = medium === 'email' ? (canonicalEmail(given) ?? given) : given;
  await ctx.locks.run(user, async () => {
    const present = await ctx.db.all(threepidsOfUser, { user });
    if (!present.some((one) => one.medium === medium && one.address === address)) return;
    await ctx.db.write((unit) => {
      unit.run(deleteThreepid, { medium, address, user });
      unit.run(deletePusher, { user, appId: emailAppId, pushkey: address });
      if (medium === 'email') unit.run(deleteEmailSessionsOf, { purpose: 'reset', address });
      unit.wake({ kind: 'threepid-removed', userNid: user, medium, address });
    }).committed;
  });
}

/** Waits for a unit that adds an address. Throws 400 M_THREEPID_IN_USE, or M_THREEPID_AUTH_FAILED when it was used up. */
async function translated(written: Promise<unknown>): Promise<void> {
  try {
    await written;
  } catch (error) {
    if (error instanceof UnitFailed && error.cause instanceof UniqueViolation) throw threepidInUse();
    throw isUnexpectedChange(error) ? notConfirmed() : error;
  }
}

export const threepidInUse = (): MatrixError =>
  new MatrixError(400, 'M_THREEPID_IN_USE', 'The address belongs to another account');
const notConfirmed = (): MatrixError =>
  new MatrixError(400, 'M_THREEPID_AUTH_FAILED', 'The address has not been confirmed');
