/** The stages of interactive authentication. https://spec.matrix.org/v1.19/client-server-api/#authentication-types */
import { badJson, forbidden, missingParam } from '../matrix/errors.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { findIdentified, userLocked } from './account.ts';
import type { AccountsContext } from './context.ts';
import type { EmailCredentials, EmailSessions } from './email/email-sessions.ts';
import { type Stage, StageFailed, type StageType, type WantedOperation } from './interactive-auth.ts';
import { checkPassword } from './login.ts';
import type { RegistrationTokens } from './registration-tokens.ts';
import { parseUserIdentifier, type UserIdentifier } from './user-identifier.ts';

type Checking = Pick<AccountsContext, 'db' | 'localServers' | 'passwords' | 'attempts'>;

export function createStages(
  ctx: Checking,
  tokens: RegistrationTokens,
  emailSessions: EmailSessions,
): Readonly<Record<StageType, Stage>> {
  return {
    'm.login.dummy': () => Promise.resolve({}),
    'm.login.password': passwordStage(ctx),
    'm.login.registration_token': registrationTokenStage(tokens),
    'm.login.email.identity': emailStage(ctx, emailSessions),
    // That it is submitted is what it says; which documents were shown stands in the operation's parameters.
    'm.login.terms': () => Promise.resolve({}),
  };
}

/** Where somebody is logged in, the account must be theirs: another is refused with 403 M_FORBIDDEN. */
function passwordStage(ctx: Checking): Stage {
  return async (auth, operation) => {
    const password = text(auth, 'password');
    const identifier = identifierOf(auth, operation);
    const { requester } = operation;
    // Before the password is looked at: nobody finds out here whether they have guessed another's.
    if (requester !== undefined && (await findIdentified(ctx, identifier))?.userNid !== requester.userNid)
      throw forbidden('You are logged in to another account');
    const origin = { kind: requester === undefined ? 'anywhere' : 'session' } as const;
    const account = await checkPassword(ctx, identifier, password, origin);
    if (account === undefined) throw new StageFailed('M_FORBIDDEN', 'Invalid password');
    if (account.isLocked) throw userLocked();
    const { userNid, passwordHash } = account;
    return passwordHash === undefined ? { userNid } : { userNid, passwordHash };
  };
}

function registrationTokenStage(tokens: RegistrationTokens): Stage {
  return async (auth) => {
    const registrationToken = await tokens.reserve(text(auth, 'token'));
    if (registrationToken === undefined) throw new StageFailed('M_UNAUTHORIZED', 'Invalid registration token');
    return { registrationToken };
  };
}

/** Where it proves whose account it is, that is the account which has the address. */
function emailStage(ctx: Checking, emailSessions: EmailSessions): Stage {
  return async (auth, { emailPurpose: purpose }) => {
    if (purpose === undefined) throw new Error('the operation does not say what addresses are confirmed for');
    const email = await emailSessions.findConfirmed(emailCredentials(auth), purpose);
    if (email === undefined) throw new StageFailed('M_UNAUTHORIZED', 'The address has not been confirmed yet');
    if (purpose !== 'reset') return { email };
    const account = await findIdentified(ctx, { kind: 'threepid', medium: 'email', addresses: [email.address] });
    if (account === undefined) throw new StageFailed('M_THREEPID_NOT_FOUND', 'No account has this address');
    if (account.isLocked) throw userLocked();
    return { email, userNid: account.userNid };
  };
}

/** Old clients write `threepidCreds`. */
function emailCredentials(auth: JsonObject): EmailCredentials {
  const credentials = auth['threepid_creds'] ?? auth['threepidCreds'];
  if (credentials === undefined) throw missingParam('auth.threepid_creds is missing');
  if (!isJsonObject(credentials)) throw badJson('auth.threepid_creds must be an object');
  return { sid: text(credentials, 'sid'), clientSecret: text(credentials, 'client_secret') };
}

/** Who is logged in need not say who they are. */
function identifierOf(auth: JsonObject, { requester }: WantedOperation): UserIdentifier {
  const isNamed = ['identifier', 'user', 'medium'].some((name) => auth[name] !== undefined);
  return requester !== undefined && !isNamed ? { kind: 'user', user: requester.userId } : parseUserIdentifier(auth);
}

function text(auth: JsonObject, name: string): string {
  const value = auth[name];
  if (value === undefined || value === null) throw missingParam(`auth.${name} is missing`);
  if (typeof value !== 'string') throw badJson(`auth.${name} must be a string`);
  return value;
}
