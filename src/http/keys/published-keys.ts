import { ownKeys, type OwnKeysParts } from '../../federation/keys/own-keys.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';

export type PublishedKeysDomain = OwnKeysParts;

/** Our signing keys. `host`: the Host header, which chooses among several local names; any other gets the main one's. */
export function publishedKeys(host: string | undefined, domain: PublishedKeysDomain): JsonObject {
  const { localServers } = domain;
  return ownKeys(localServers.names().find((name) => name === host) ?? localServers.main, domain);
}
