/** What the start page lets people do, by the same functions that the API calls. */
import { forbidden, MatrixError } from '../matrix/errors.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { AccountsContext, ClientAddress } from './context.ts';
import { createAccount } from './create-account.ts';
import { logOut } from './devices.ts';
import { createFirstAdministrator, isFirstAdministratorDue } from './first-administrator.ts';
import { logInWithPassword } from './login.ts';
import type { RegistrationTokens } from './registration-tokens.ts';
import type { Requester } from './requester.ts';
import type { SessionRequest } from './sessions.ts';
import { userIdOfUsername } from './username.ts';

interface PageSession {
  readonly userId: string;
  readonly accessToken: string;
}

type Serving = AccountsContext & {
  readonly accessTokens: AccessTokens;
  readonly registrationTokens: RegistrationTokens;
};

export function createStartPage(ctx: Serving) {
  return {
    firstAdministratorDue: (): Promise<boolean> => isFirstAdministratorDue(ctx),

    /** Throws 403 M_FORBIDDEN for a wrong or used token; 400 M_INVALID_USERNAME, M_USER_IN_USE, M_WEAK_PASSWORD. */
    createFirstAdministrator: (
      token: string,
      username: string,
      password: string,
      client: ClientAddress,
    ): Promise<PageSession> => createFirstAdministrator(ctx, token, { username, password }, browser(client)),

    /** Throws 403 M_FORBIDDEN, 401 M_USER_LOCKED, 429 M_LIMIT_EXCEEDED. */
    signIn: (user: string, password: string, client: ClientAddress): Promise<PageSession> =>
      logInWithPassword(ctx, { kind: 'user', user: user.trim() }, password, browser(client)),

    /** undefined: unknown, expired or of a locked account. */
    async findRequester(accessToken: string, client: ClientAddress): Promise<Requester | undefined> {
      try {
        return await ctx.accessTokens.authenticate(accessToken, { allowLocked: false, client });
      } catch (error) {
        if (error instanceof MatrixError) return undefined;
        throw error;
      }
    },

    signOut: (requester: Requester): Promise<void> => logOut(ctx, requester),

    /** Throws 403 M_FORBIDDEN unless an administrator asks, and what `createAccount` throws. */
    async createAccount(
      requester: Requester,
      account: { readonly localpart: string; readonly password: string; readonly isAdmin: boolean },
    ): Promise<string> {
      assertAdministrator(requester);
      const { localpart, password, isAdmin } = account;
      const userId = userIdOfUsername(localpart, ctx.localServers.main);
      await createAccount(ctx, { userId, password, isAdmin, displayName: localpart });
      return userId;
    },

    /** Throws 403 M_FORBIDDEN unless an administrator asks. */
    async createRegistrationToken(
      requester: Requester,
      token: { readonly usesAllowed: number | undefined; readonly expiresMs: number | undefined },
    ): Promise<string> {
      assertAdministrator(requester);
      const { usesAllowed, expiresMs: expiryTs } = token;
      const created = { token: undefined, length: undefined, usesAllowed, expiryTs };
      return (await ctx.registrationTokens.create(created)).token;
    },
  };
}

const browser = (client: ClientAddress): SessionRequest => ({
  deviceId: undefined,
  initialDeviceDisplayName: 'Start page',
  canRefresh: false,
  client,
});

function assertAdministrator(requester: Requester): void {
  if (!requester.isAdmin) throw forbidden('Only server administrators may do this');
}
