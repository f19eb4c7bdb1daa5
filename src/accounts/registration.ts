/** POST /register. https://spec.matrix.org/v1.19/client-server-api/#legacy-account-registration */
import { forbidden, missingParam } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { confirmPasswordHash } from '../storage/stores/account-store.ts';
import { useRegistrationToken } from '../storage/stores/registration-token-store.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { deleteEmailSession } from '../storage/stores/email-session-store.ts';
import { insertThreepid } from '../storage/stores/threepid-store.ts';
import type { AccessTokens } from './access-tokens.ts';
import { findIdentified, getAccount } from './account.ts';
import type { AccountsContext } from './context.ts';
import { createAccount } from './create-account.ts';
import type { ConfirmedEmail } from './email/email-sessions.ts';
import { threepidInUse } from './email/own-threepids.ts';
import { assertUpgrades, becomeUser, findGuest, randomUserId } from './guests.ts';
import type { Authorised, InteractiveAuth, Operation, StageType } from './interactive-auth.ts';
import { checkNewPassword } from './password-policy.ts';
import {
  beginSession,
  isUnexpectedChange,
  passwordChangedMeanwhile,
  type NewSession,
  type SessionRequest,
  whilePasswordStands,
} from './sessions.ts';
import type { Requester } from './requester.ts';
import { hasTerms, termsParameters, writeConsent } from './terms.ts';
import { assertAvailable, userIdForRegistration } from './username.ts';

export interface RegistrationRequest {
  /** The access token of a guest, whose account becomes a user's. */
  readonly guestAccessToken: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly auth: JsonObject | undefined;
  readonly inhibitLogin: boolean;
  readonly session: SessionRequest;
}
export interface Registered {
  readonly userId: UserId;
  /** undefined: a login was not wanted. */
  readonly session: NewSession | undefined;
}

type Registering = AccountsContext & {
  readonly interactiveAuth: InteractiveAuth;
  readonly accessTokens: Pick<AccessTokens, 'authenticate'>;
};

/**
 * Throws 403 M_FORBIDDEN when nobody can register or the guest is none, 401 while stages are missing, 400
 * M_INVALID_USERNAME, M_USER_IN_USE, M_WEAK_PASSWORD, M_MISSING_PARAM. What can be checked is checked before any stage, as
 * the specification demands.
 */
export async function register(ctx: Registering, request: RegistrationRequest): Promise<Registered> {
  assertRegistrationIsOpen(ctx);
  const guest = await findGuest(ctx, request);
  const operation = operationOf(ctx, request, guest?.userId);
  const earlier = ctx.interactiveAuth.findOutcome(operation, request.auth);
  if (typeof earlier === 'string') return registeredBefore(ctx, earlier as UserId, request);

  const wanted = request.username === undefined ? undefined : userIdForRegistration(ctx, request.username);
  if (guest !== undefined) assertUpgrades(guest, wanted);
  else if (wanted !== undefined) await assertStillAvailable(ctx, wanted, operation, request.auth);
  if (request.password !== undefined) checkNewPassword(request.password, ctx.config.password.minimumLength);
  else if (request.auth !== undefined) throw missingParam('password is missing');

  const authorised = await ctx.interactiveAuth.authorise(operation, request.auth);
  const userId = wanted ?? randomUserId(ctx);
  try {
    const session = await createRegistered(ctx, userId, request, authorised, guest);
    authorised.succeeded(userId);
    return { userId, session };
  } catch (error) {
    authorised.abandoned();
    throw isUnexpectedChange(error) ? forbidden('What was proven has been used up meanwhile') : error;
  }
}

/** Throws as `assertAvailable` does, and then gives back the use of a token that was reserved for this registration. */
async function assertStillAvailable(
  ctx: Registering,
  wanted: UserId,
  operation: Operation,
  auth: JsonObject | undefined,
): Promise<void> {
  try {
    await assertAvailable(ctx, wanted);
  } catch (error) {
    ctx.interactiveAuth.abandon(operation, auth);
    throw error;
  }
}

/** Throws 403 when nobody can register by themselves. */
export function assertRegistrationIsOpen(ctx: Pick<AccountsContext, 'config'>): void {
  if (!ctx.config.registration.enabled) throw forbidden('Registration is disabled');
}

async function createRegistered(
  ctx: Registering,
  userId: UserId,
  request: RegistrationRequest,
  { registrationToken, email }: Authorised,
  guest: Requester | undefined,
): Promise<NewSession | undefined> {
  const { username: displayName, password, inhibitLogin } = request;
  if (email !== undefined) await assertUnusedEmail(ctx, email);
  const nowMs = ctx.clock.nowMs();
  const also = (unit: UnitBuilder, user: number): void => {
    if (registrationToken !== undefined)
      unit.run(useRegistrationToken, { token: registrationToken.token, now: nowMs }, { changes: 1 });
    writeConsent(unit, ctx, user, nowMs);
    if (email === undefined) return;
    const { sid, address, validatedTs } = email;
    unit.run(deleteEmailSession, { sid }, { changes: 1 });
    unit.run(insertThreepid, { medium: 'email', address, user, addedTs: nowMs, validatedTs });
  };
  const wantedSession = inhibitLogin ? undefined : request.session;
  const account = { userId, password, isAdmin: false, displayName };
  try {
    if (guest !== undefined) return await becomeUser(ctx, guest, password ?? '', wantedSession, also);
    return (await createAccount(ctx, account, wantedSession, also)).session;
  } catch (error) {
    // What was not unique may have been the address: somebody else was faster.
    if (email !== undefined) await assertUnusedEmail(ctx, email);
    throw error;
  }
}

async function assertUnusedEmail(ctx: Registering, { address }: ConfirmedEmail): Promise<void> {
  const owner = await findIdentified(ctx, { kind: 'threepid', medium: 'email', addresses: [address] });
  if (owner !== undefined) throw threepidInUse();
}

/** The answer to the same request got lost: the account is there, and the client gets a session. */
async function registeredBefore(ctx: Registering, userId: UserId, request: RegistrationRequest): Promise<Registered> {
  if (request.inhibitLogin) return { userId, session: undefined };
  const account = await getAccount(ctx, userId);
  if (account.isDeactivated || account.isLocked) throw forbidden('The account can no longer be used');
  const { userNid: user, passwordHash = '' } = account;
  // Between the two requests the password may have been changed, and whoever knows the old one must stay out.
  if (!(await ctx.passwords.verify(request.password ?? '', passwordHash))) throw passwordChangedMeanwhile();
  const session = beginSession(ctx, account, request.session, (unit) =>
    unit.run(confirmPasswordHash, { user, passwordHash }, { changes: 1 }),
  );
  return { userId, session: await whilePasswordStands(session) };
}

function operationOf(ctx: Registering, request: RegistrationRequest, guest: UserId | null = null): Operation {
  const { username = null, password = null, inhibitLogin, session } = request;
  const first: readonly StageType[] = [
    ...(ctx.config.registration.requireToken ? (['m.login.registration_token'] as const) : []),
    ...(hasTerms(ctx) ? (['m.login.terms'] as const) : []),
  ];
  return {
    name: 'register',
    parameters: { username, password, inhibitLogin, deviceId: session.deviceId, guest },
    requester: undefined,
    flows: lastStages(ctx).map((last) => [...first, last]),
    stageParameters: hasTerms(ctx) ? { 'm.login.terms': termsParameters(ctx) } : {},
    emailPurpose: 'register',
  };
}

/**
 * A dummy stage stands also behind others, because that is what clients have met so far, and some know no other way; and no
 * flow may be the beginning of another.
 */
function lastStages({ config, mailer }: Registering): readonly StageType[] {
  const { email } = config.registration;
  if (!mailer.isConfigured || email === 'off') return ['m.login.dummy'];
  return email === 'required' ? ['m.login.email.identity'] : ['m.login.dummy', 'm.login.email.identity'];
}
