import type { ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { signJson } from '../../matrix/json/signed-json.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import type { Clock } from '../../platform/ports.ts';

export interface OwnKeysParts {
  readonly localServers: LocalServers;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** The signing keys of one of our names, signed by themselves. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
export function ownKeys(serverName: ServerName, { localServers, clock }: OwnKeysParts): JsonObject {
  const key = localServers.signingKeyOf(serverName);
  const oldKeys = localServers
    .oldSigningKeysOf(serverName)
    .map(({ keyId, publicKey, expiredTs }) => [keyId, { key: publicKey, expired_ts: expiredTs }]);
  const published = {
    server_name: serverName,
    verify_keys: { [key.keyId]: { key: key.publicKey } },
    old_verify_keys: Object.fromEntries(oldKeys),
    valid_until_ts: clock.nowMs() + validMs,
  };
  return signJson(published, serverName, key);
}

/** Others ask again after half of it. A stolen key is good for as long as the last answer that named it. */
const validMs = 24 * 60 * 60 * 1000;
