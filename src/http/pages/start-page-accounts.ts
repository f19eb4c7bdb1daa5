/** What the start page asks of the accounts: the same domain functions that the API calls. `src/accounts` implements it. */
import type { Requester } from '../../accounts/requester.ts';
import type { ClientInfo } from '../endpoint.ts';

export interface StartPageAccounts {
  /** Whether the server still has no administrator. */
  firstAdministratorDue(): Promise<boolean>;

  /**
   * Makes the first administrator and logs in. `token` is the one of the one-time link that the start prints.
   * Throws MatrixError M_FORBIDDEN when the token is wrong or there is an administrator already, M_INVALID_USERNAME,
   * M_USER_IN_USE, M_WEAK_PASSWORD.
   */
  createFirstAdministrator(
    token: string,
    localpart: string,
    password: string,
    client: ClientInfo,
  ): Promise<StartPageSession>;

  /**
   * Logs in by localpart or user id, as a device of its own. Throws MatrixError M_FORBIDDEN for a wrong name or password,
   * M_USER_DEACTIVATED, M_LIMIT_EXCEEDED.
   */
  signIn(user: string, password: string, client: ClientInfo): Promise<StartPageSession>;

  /** Who the access token of a session stands for; undefined when it is unknown, expired or of a locked account. */
  findRequester(accessToken: string, client: ClientInfo): Promise<Requester | undefined>;

  /** Ends exactly this session. */
  signOut(requester: Requester): Promise<void>;

  /**
   * Makes an account. Throws MatrixError M_FORBIDDEN when the requester is no administrator, M_INVALID_USERNAME,
   * M_USER_IN_USE, M_WEAK_PASSWORD. Returns the new user id.
   */
  createAccount(
    requester: Requester,
    account: { readonly localpart: string; readonly password: string; readonly isAdmin: boolean },
  ): Promise<string>;

  /**
   * Makes a random registration token that may be used `usesAllowed` times (undefined: any number) until `expiresMs` since
   * the Unix epoch (undefined: for ever). Throws MatrixError M_FORBIDDEN when the requester is no administrator.
   */
  createRegistrationToken(
    requester: Requester,
    token: { readonly usesAllowed: number | undefined; readonly expiresMs: number | undefined },
  ): Promise<string>;
}

/** An ordinary access token; the page keeps it in an HttpOnly cookie. */
export interface StartPageSession {
  readonly userId: string;
  readonly accessToken: string;
}

/** The one-time link: under the server's base URL, for a person to open. */
export const firstAdministratorLink = (baseUrl: string, token: string): string =>
  `${baseUrl.replace(/\/$/, '')}/?setup=${encodeURIComponent(token)}`;
