import type { FederationRights } from '../../rooms/ports.ts';
import type { LocalServers } from '../../platform/local-servers.ts';

/** What endpoints need that ask other servers in the name of a user. */
export interface FederationOfUsers {
  readonly federation: { readonly policy: Pick<FederationRights, 'assertMayFederate'> };
  readonly localServers: Pick<LocalServers, 'isLocal'>;
}
