/** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo */
import { MatrixError } from '../../matrix/errors.ts';
import type { ServerName, UserId } from '../../matrix/ids/ids.ts';
import { isUserId, serverNameOf } from '../../matrix/ids/user-id.ts';
import { limits } from '../../platform/limits.ts';
import type { FederationClient } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import { ServerPatterns } from '../policy/server-patterns.ts';
import { askForJson } from './ask-for-json.ts';

/** Users of other servers, by their OpenID tokens. */
export interface RemoteOpenId {
  /**
   * Asks the server whose token it is, unless `allowed` leaves it out. Throws 401 M_UNKNOWN_TOKEN, and 502 M_UNKNOWN when the server
   * does not answer as it should.
   */
  openIdTokenOwner(server: ServerName, token: string): Promise<UserId>;
}

/** `allowed`: patterns. */
export function createRemoteOpenId(client: FederationClient, allowed: readonly string[]): RemoteOpenId {
  const patterns = new ServerPatterns(allowed);
  return {
    async openIdTokenOwner(destination, token) {
      if (!patterns.matches(destination)) throw unknownToken(`Tokens of ${destination} are not taken here`);
      const sub = await ask(client, destination, token);
      // No server speaks for users of another.
      if (!isUserId(sub) || serverNameOf(sub) !== destination)
        throw unknownToken(`${destination} does not say which user of its own the token is of`);
      return sub;
    },
  };
}

async function ask(client: FederationClient, destination: ServerName, token: string) {
  try {
    const { sub } = await askForJson(client, {
      destination,
      method: 'GET',
      path: '/_matrix/federation/v1/openid/userinfo',
      query: { access_token: token },
      responseBytesMax: limits.remoteUserInfoBytesMax,
    });
    return sub;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const { failure, status = 0 } = error;
    if (failure === 'answered' && status < 500 && status !== 429)
      throw unknownToken(`${destination} does not know the token`);
    throw new MatrixError(502, 'M_UNKNOWN', `${destination} could not be asked whose token it is`);
  }
}

const unknownToken = (reason: string): MatrixError => new MatrixError(401, 'M_UNKNOWN_TOKEN', reason);
