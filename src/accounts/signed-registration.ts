import { invalidParam } from '../matrix/errors.ts';
import type { AccountsContext } from './context.ts';
import { createAccount } from './create-account.ts';
import type { Registered } from './registration.ts';
import type { SessionRequest } from './sessions.ts';
import type { SharedSecret, SignedRegistration } from './shared-secret.ts';
import { userIdOfUsername } from './username.ts';

export interface SignedRegistrationRequest extends SignedRegistration {
  readonly displayName: string | undefined;
  readonly inhibitLogin: boolean;
  readonly session: SessionRequest;
}

/**
 * Makes an account for a program that knows the secret, whether registration is open or not.
 * Throws 400 or 403 for a wrong nonce or MAC, 400 M_INVALID_PARAM for an unknown user type, and what `createAccount` throws.
 */
export async function registerSigned(
  ctx: AccountsContext,
  secret: SharedSecret,
  request: SignedRegistrationRequest,
): Promise<Registered> {
  secret.verify(request);
  const { username, password, isAdmin, userType, inhibitLogin } = request;
  if (userType !== undefined && userType !== 'bot' && userType !== 'support') throw invalidParam('Invalid user type');
  const userId = userIdOfUsername(username, ctx.localServers.main);
  const displayName = request.displayName ?? username;
  const account = { userId, password, isAdmin, userType, displayName };
  const { session } = await createAccount(ctx, account, inhibitLogin ? undefined : request.session);
  return { userId, session };
}
