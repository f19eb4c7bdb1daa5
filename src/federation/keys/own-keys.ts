import type { ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { signJson } from '../../matrix/json/signed-json.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import type { Clock } from '../../platform/ports.ts';

export interface OwnKeysParts {
  readonly localServers: LocalServers;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/**
 * The signing keys of one of our names, signed by themselves. The members stand in canonical order: there are readers that check
 * the signature of the text as it comes.
 * https://spec.matrix.org/v1.19/server-server-api/#publishing-keys
 */
export function ownKeys(serverName: ServerName, { localServers, clock }: OwnKeysParts): JsonObject {
  const key = localServers.signingKeyOf(serverName);
  const oldKeys = localServers
    .oldSigningKeysOf(serverName)
    .map(({ keyId, publicKey, expiredTs }) => [keyId, { expired_ts: expiredTs, key: publicKey }] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const published = {
    old_verify_keys: Object.fromEntries(oldKeys),
    server_name: serverName,
    valid_until_ts: clock.nowMs() + validMs,
    verify_keys: { [key.keyId]: { key: key.publicKey } },
  };
  return signJson(published, serverName, key);
}

/** Others ask again after half of it. A stolen key is good for as long as the last answer that named it. */
const validMs = 24 * 60 * 60 * 1000;
