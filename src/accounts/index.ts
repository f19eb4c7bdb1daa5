/** Accounts, as endpoints and other parts of the server use them. */
import { availableParallelism } from 'node:os';
import type { SyncFilter } from '../matrix/filters/sync-filter.ts';
import { KeyedLock } from '../platform/keyed-lock.ts';
import { AccessTokens } from './access-tokens.ts';
import { findAccount, isActive } from './account.ts';
import * as accountData from './account-data.ts';
import * as administration from './administration.ts';
import { capabilitiesOf } from './capabilities.ts';
import { changePassword } from './change-password.ts';
import * as confirmed from './confirmed.ts';
import type { AccountsContext } from './context.ts';
import { deactivateOwnAccount, resumeDeactivations } from './deactivation.ts';
import { DeviceActivity } from './device-activity.ts';
import * as devices from './devices.ts';
import { EmailSessions } from './email/email-sessions.ts';
import { addEmail, removeThreepid } from './email/own-threepids.ts';
import { ErasedUsers } from './erased-users.ts';
import * as filters from './filters.ts';
import { mintFirstAdministratorToken } from './first-administrator.ts';
import { InteractiveAuth } from './interactive-auth.ts';
import * as login from './login.ts';
import { issueOpenIdToken, openIdTokenOwner } from './openid-tokens.ts';
import { MemberProfiles } from './member-profiles.ts';
import { Passwords } from './passwords.ts';
import * as profiles from './profiles.ts';
import * as pushRules from './push-rules.ts';
import { registerGuest } from './guests.ts';
import { assertRegistrationIsOpen, register } from './registration.ts';
import { RegistrationTokens } from './registration-tokens.ts';
import { assertMaySend } from './may-send.ts';
import { reportUser } from './report-user.ts';
import type { Requester } from './requester.ts';
import { withCopiedSettings } from './room-settings.ts';
import { ensureServerUser } from './server-user.ts';
import { refreshSession } from './sessions.ts';
import { operatorSecret, SharedSecret, type SignedOrder } from './shared-secret.ts';
import { registerSigned, type SignedRegistrationRequest } from './signed-registration.ts';
import { createStages } from './stages.ts';
import { createStartPage } from './start-page.ts';
import { SyncFilters } from './sync-filters.ts';
import * as tags from './tags.ts';
import { updateUserWords } from './user-words.ts';
import { AccountValidity } from './validity/account-validity.ts';
import { assertAvailable, noticesUserIdOf, userIdForRegistration } from './username.ts';

export type Accounts = ReturnType<typeof createAccounts>;

export type AccountsDependencies = Omit<AccountsContext, 'passwords' | 'locks' | 'syncFilters'>;

/** Made once, by the composition root. Nothing is read or written before the first call. */
export function createAccounts(dependencies: AccountsDependencies) {
  const parts = createParts(dependencies);
  const { ctx, sharedSecret, operator, erasedUsers } = parts;
  return {
    ...bindAll(ctx, operations),
    /** The HTTP layer's Authenticator. */
    accessTokens: ctx.accessTokens,
    /** For operations of other folders that must be confirmed. */
    interactiveAuth: ctx.interactiveAuth,
    registrationTokens: ctx.registrationTokens,
    /** For addresses that are being confirmed. */
    emailSessions: ctx.emailSessions,
    /** Accounts that expire. */
    validity: ctx.validity,
    /** To be loaded before any event is shown. */
    erasedUsers,
    /** Who writes the server's notices; nobody can register this name. */
    noticesUserId: noticesUserIdOf(ctx),
    /** For the pages that people see. */
    startPage: createStartPage(ctx),

    capabilities: (requester: Pick<Requester, 'isAdmin'>) =>
      capabilitiesOf(requester, { ...ctx.config, canConfirmEmail: ctx.mailer.isConfigured }),
    /** Throws 403 M_FORBIDDEN where nobody can register. */
    assertRegistrationOpen: (): void => assertRegistrationIsOpen(ctx),
    /** Throws 400 M_INVALID_USERNAME or M_USER_IN_USE, 403 M_FORBIDDEN where nobody can register. */
    async checkAvailability(username: string): Promise<void> {
      assertRegistrationIsOpen(ctx);
      await assertAvailable(ctx, userIdForRegistration(ctx, username));
    },
    /** Throws 403 M_FORBIDDEN where nobody can register. */
    async isRegistrationTokenValid(token: string): Promise<boolean> {
      assertRegistrationIsOpen(ctx);
      return ctx.registrationTokens.isValid(token);
    },
    /** The filter of a user by its id; undefined: there is none. */
    findFilter: ({ userNid }: Pick<Requester, 'userNid'>, filterId: string): Promise<SyncFilter | undefined> =>
      filters.findSyncFilter(ctx, userNid, filterId),

    /** Registration with the configured shared secret. */
    sharedSecret: {
      issueNonce: () => sharedSecret.issueNonce(),
      register: (request: SignedRegistrationRequest) => registerSigned(ctx, sharedSecret, request),
    },
    /** The same for whoever can read the signing key: the command line. */
    operator: {
      issueNonce: () => operator.issueNonce(),
      register: (request: SignedRegistrationRequest) => registerSigned(ctx, operator, request),
      /** Throws like a registration when the request is not signed by somebody who can read the signing key. */
      verifyOrder: (request: SignedOrder): void => operator.verifyOrder(request),
    },
    /** Writes what is only noted in memory. */
    async close(): Promise<void> {
      ctx.accessTokens.close();
      ctx.validity.close();
      erasedUsers.close();
      await ctx.activity.flush();
    },
  };
}

const operations = {
  register,
  registerGuest,
  logInWithPassword: login.logInWithPassword,
  logInWithToken: login.logInWithToken,
  refreshSession,
  logOut: devices.logOut,
  logOutAll: devices.logOutAll,
  assertMaySend,
  issueOpenIdToken,
  openIdTokenOwner,
  generateLoginToken: confirmed.generateLoginToken,
  changePassword,
  deactivateOwnAccount,
  listDevices: devices.listDevices,
  getDevice: devices.getDevice,
  updateDevice: devices.updateDevice,
  deleteOwnDevices: confirmed.deleteOwnDevices,
  getProfile: profiles.getProfile,
  getLocalProfile: profiles.getLocalProfile,
  getProfileField: profiles.getProfileField,
  changeProfileField: profiles.changeProfileField,
  removeProfileField: profiles.removeProfileField,
  /** For membership events. */
  memberProfile: profiles.memberProfile,
  /** For those who join a room that replaces another one. */
  withCopiedSettings,
  getAccountData: accountData.getAccountData,
  setAccountData: accountData.setAccountData,
  deleteAccountData: accountData.deleteAccountData,
  getTags: tags.getTags,
  setTag: tags.setTag,
  removeTag: tags.removeTag,
  defineFilter: filters.defineFilter,
  getFilter: filters.getFilter,
  reportUser,
  loadPushRules: pushRules.loadPushRules,
  editPushRules: pushRules.editPushRules,
  findAccount,
  isActive,
  ensureServerUser,
  listThreepids: administration.listThreepids,
  addEmail,
  removeThreepid,
  readAccount: administration.readAccount,
  readDevices: administration.readDevices,
  putAccount: administration.putAccount,
  getModeratedAccount: administration.getModeratedAccount,
  moderateAccount: administration.moderateAccount,
  mintFirstAdministratorToken,
  resumeDeactivations,
  updateUserWords,
};

function createParts(dependencies: AccountsDependencies) {
  const { clock, random, config, localServers } = dependencies;
  const { memoryKib, passes } = config.password.argon2;
  const passwords = new Passwords({ memoryKib, passes, concurrency: Math.max(1, availableParallelism() - 1) }, random);
  const base: AccountsContext = {
    ...dependencies,
    passwords,
    locks: new KeyedLock<number>(),
    syncFilters: new SyncFilters(),
  };
  const activity = new DeviceActivity(base);
  const registrationTokens = new RegistrationTokens(base);
  const emailSessions = new EmailSessions(base);
  const validity = new AccountValidity(base);
  const ctx = {
    ...base,
    activity,
    registrationTokens,
    emailSessions,
    validity,
    accessTokens: new AccessTokens(base, activity),
    memberProfiles: new MemberProfiles(base.db),
    interactiveAuth: new InteractiveAuth(createStages(base, registrationTokens, emailSessions), clock, random),
  };
  const operatorKey = (): string => operatorSecret(localServers.signingKeyOf(localServers.main));
  return {
    ctx,
    erasedUsers: new ErasedUsers(base.db),
    sharedSecret: new SharedSecret(() => config.registration.sharedSecret?.reveal(), clock, random),
    operator: new SharedSecret(operatorKey, clock, random),
  };
}

type Parts = ReturnType<typeof createParts>['ctx'];
type Bound<F> = F extends (ctx: never, ...args: infer A) => infer R ? (...args: A) => R : never;

/** Functions of this folder with their first argument given. */
function bindAll<F extends Readonly<Record<string, (ctx: Parts, ...args: never[]) => unknown>>>(
  ctx: Parts,
  functions: F,
): { readonly [K in keyof F]: Bound<F[K]> } {
  const bound = Object.entries(functions).map(([name, run]) => [name, run.bind(undefined, ctx)]);
  return Object.fromEntries(bound) as { readonly [K in keyof F]: Bound<F[K]> };
}
