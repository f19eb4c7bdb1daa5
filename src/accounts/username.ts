import { MatrixError } from '../matrix/errors.ts';
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import { newUserId } from '../matrix/ids/user-id.ts';
import { findAccount } from './account.ts';
import type { AccountsContext } from './context.ts';

/**
 * The user id that a username stands for: capitals become small letters. Throws 400 M_INVALID_USERNAME when the grammar
 * forbids it. https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function userIdOfUsername(username: string, server: ServerName): UserId {
  const localpart = username.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const userId = newUserId(localpart, server);
  if (userId === undefined)
    throw invalidUsername(
      'A username has only the characters a-z, 0-9, ".", "_", "=", "-", "/" and "+", and is not too long',
    );
  return userId;
}

/**
 * What people choose for themselves: names that begin with an underscore are left to application services, and that of the
 * server's notices is taken. Throws 400 M_INVALID_USERNAME.
 */
export function userIdForRegistration(ctx: Pick<AccountsContext, 'localServers' | 'config'>, username: string): UserId {
  const userId = userIdOfUsername(username, ctx.localServers.main);
  assertNotReserved(ctx, userId);
  if (userId.startsWith('@_')) throw invalidUsername('A username must not begin with an underscore');
  return userId;
}

/** The user that sends the server's notices. Throws when the server name is too long for the configured name. */
export function noticesUserIdOf({ config, localServers }: Pick<AccountsContext, 'config' | 'localServers'>): UserId {
  return userIdOfUsername(config.serverNotices.localpart, localServers.main);
}

/** Throws 400 M_INVALID_USERNAME for the user that sends the server's notices. */
export function assertNotReserved(ctx: Pick<AccountsContext, 'config'>, userId: UserId): void {
  if (userId.startsWith(`@${ctx.config.serverNotices.localpart}:`)) throw invalidUsername('This username is reserved');
}

/** Throws 400 M_USER_IN_USE. Deactivated accounts keep their names. */
export async function assertAvailable(ctx: Pick<AccountsContext, 'db'>, userId: UserId): Promise<void> {
  if ((await findAccount(ctx, userId)) !== undefined) throw userInUse();
}

export const userInUse = (): MatrixError => new MatrixError(400, 'M_USER_IN_USE', 'This username is already taken');
const invalidUsername = (message: string): MatrixError => new MatrixError(400, 'M_INVALID_USERNAME', message);
