import type { Requester } from '../../accounts/requester.ts';
import type { ClientInfo } from '../endpoint.ts';

export interface AuthenticateOptions {
  /** True where a locked account may still act: logging out. Elsewhere it is refused with M_USER_LOCKED. */
  readonly allowLocked: boolean;
  /** Absent: false. */
  readonly allowExpired?: boolean;
  /** For "last seen" of the device. */
  readonly client: ClientInfo;
}

/** What the HTTP layer needs to know who asks; `accounts/access-tokens.ts` implements it. */
export interface Authenticator {
  /**
   * Throws MatrixError 401 M_UNKNOWN_TOKEN (with soft_logout for an expired one that can be refreshed) or
   * 401 M_USER_LOCKED with soft_logout.
   * https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
   */
  authenticate(accessToken: string, options: AuthenticateOptions): Promise<Requester>;
  /** Whether `authenticate`, if it was asked again, would surely give the same; false says nothing. */
  isCurrent(requester: Requester): boolean;
}
