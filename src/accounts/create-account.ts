import type { UserId } from '../matrix/ids/ids.ts';
import { localpartOf } from '../matrix/ids/user-id.ts';
import { limits } from '../platform/limits.ts';
import { type UnitBuilder, UniqueViolation, UnitFailed } from '../storage/database.ts';
import { insertAccount } from '../storage/stores/account-store.ts';
import { setValidity } from '../storage/stores/account-validity-store.ts';
import { setProfileField } from '../storage/stores/profile-store.ts';
import type { AccountsContext } from './context.ts';
import { checkNewPassword } from './password-policy.ts';
import type { Requester } from './requester.ts';
import { draftSession, type NewSession, type SessionDraft, type SessionRequest } from './sessions.ts';
import { hashToken } from './token-format.ts';
import { writeUserWords } from './user-words.ts';
import { assertNotReserved, userInUse } from './username.ts';

export interface NewAccount {
  readonly userId: UserId;
  /** undefined: nobody can log in by password. */
  readonly password: string | undefined;
  readonly isAdmin: boolean;
  /** Absent: a user's. */
  readonly kind?: 'guest' | undefined;
  readonly userType?: string | undefined;
  readonly displayName: string | undefined;
}

type Creating = Pick<AccountsContext, 'db' | 'names' | 'locks' | 'clock' | 'random' | 'passwords' | 'config'>;

/**
 * Makes an account, and logs in if a session is wanted, all in one unit. `also`: what must be true together with it.
 * Throws 400 M_USER_IN_USE, M_INVALID_USERNAME (reserved), M_WEAK_PASSWORD, M_INVALID_PARAM.
 */
export async function createAccount(
  ctx: Creating,
  account: NewAccount,
  session?: SessionRequest,
  also?: (unit: UnitBuilder, userNid: number) => void,
): Promise<{ readonly userNid: number; readonly session: NewSession | undefined }> {
  const { userId, password, displayName, isAdmin, kind = 'user' } = account;
  assertNotReserved(ctx, userId);
  if (password !== undefined) checkNewPassword(password, ctx.config.password.minimumLength);
  const passwordHash = password === undefined ? null : await ctx.passwords.hash(password);
  // The key of their memberships is made with them, in the same commit: their first join finds it.
  const [user, memberKey] = await Promise.all([
    ctx.names.userNid(userId),
    ctx.names.introduceSkey('m.room.member', userId),
  ]);
  const draft = session && draftSession(ctx, { userNid: user, userId }, session, undefined);
  const isShown = displayName !== undefined && Buffer.byteLength(displayName) <= limits.displayNameBytesMax;
  const shownName = isShown ? displayName : undefined;
  const { periodDays } = ctx.config.accountValidity;
  // Administrators do not expire: nobody could let them in again.
  const accountExpiresTs =
    periodDays === undefined || isAdmin ? undefined : ctx.clock.nowMs() + periodDays * 86_400_000;
  const created = ctx.db.write((unit) => {
    if (memberKey.creation !== undefined) unit.requires(memberKey.creation);
    unit.run(insertAccount, {
      user,
      localpart: localpartOf(userId),
      kind,
      userType: account.userType ?? null,
      passwordHash,
      admin: isAdmin ? 1 : 0,
      createdTs: ctx.clock.nowMs(),
    });
    if (shownName !== undefined)
      unit.run(setProfileField, { user, name: 'displayname', value: JSON.stringify(shownName) });
    writeUserWords(unit, { userNid: user, userId }, shownName);
    if (accountExpiresTs !== undefined) unit.run(setValidity, { user, expiresTs: accountExpiresTs, reminded: 0 });
    if (draft !== undefined)
      writeSession(unit, draft, { userNid: user, isAdmin, isGuest: kind === 'guest' }, accountExpiresTs);
    also?.(unit, user);
    const member = shownName === undefined ? {} : { displayname: shownName };
    unit.wake({ kind: 'profile', userNid: user, pos: unit.nextPos(), member });
    unit.wake({ kind: 'account', userNid: user, isActive: true });
  });
  try {
    await created.committed;
  } catch (error) {
    throw error instanceof UnitFailed && error.cause instanceof UniqueViolation ? userInUse() : error;
  }
  return { userNid: user, session: draft?.session };
}

/** The session of an account that is being made, which nothing can have locked or suspended yet. */
function writeSession(
  unit: UnitBuilder,
  { session, deviceNid, expiresTs, write }: SessionDraft,
  owner: Pick<Requester, 'userNid' | 'isAdmin' | 'isGuest'>,
  accountExpiresTs: number | undefined,
): void {
  write(unit);
  const { userId, deviceId, accessToken } = session;
  const tokenHash = hashToken(accessToken);
  const requester = { ...owner, userId, deviceId, deviceNid, isSuspended: false, tokenHash };
  unit.wake({ kind: 'session', requester, expiresTs, accountExpiresTs });
}
