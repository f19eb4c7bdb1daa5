/** Keys of users of other servers. https://spec.matrix.org/v1.19/server-server-api/#end-to-end-encryption */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../matrix/json/canonical-json.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { FederationClient, FederationRequest } from './contract.ts';
import { FederationError } from './federation-error.ts';
import { federationPath } from './federation-path.ts';

export interface RemoteUserKeys {
  query(server: ServerName, deviceKeys: JsonObject, timeoutMs: number): Promise<JsonObject | undefined>;
  claim(server: ServerName, oneTimeKeys: JsonObject, timeoutMs: number): Promise<JsonObject | undefined>;
  devices(userId: UserId, timeoutMs: number): Promise<JsonObject | undefined>;
}

/** Answers have numbers as everybody writes them; undefined: the server did not answer as it should. */
export function createRemoteKeys(client: FederationClient): RemoteUserKeys {
  const ask = async (request: FederationRequest): Promise<JsonObject | undefined> => {
    try {
      const answer = await client.request({ ...request, responseBytesMax: limits.remoteKeysAnswerBytesMax });
      return JSON.parse(legacyCanonicalJson(answer)) as JsonObject;
    } catch (error) {
      if (error instanceof FederationError) return undefined;
      throw error;
    }
  };
  const post = (destination: ServerName, path: string, content: JsonObject, timeoutMs: number) =>
    ask({ destination, method: 'POST', path, content, timeoutMs });
  return {
    query: (server, deviceKeys, timeoutMs) =>
      post(server, '/_matrix/federation/v1/user/keys/query', { device_keys: deviceKeys }, timeoutMs),
    claim: (server, oneTimeKeys, timeoutMs) =>
      post(server, '/_matrix/federation/v1/user/keys/claim', { one_time_keys: oneTimeKeys }, timeoutMs),
    devices(userId, timeoutMs) {
      const destination = userId.slice(userId.indexOf(':') + 1) as ServerName;
      const path = federationPath`/_matrix/federation/v1/user/devices/${userId}`;
      return ask({ destination, method: 'GET', path, timeoutMs });
    },
  };
}
