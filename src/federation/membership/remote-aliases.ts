/** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1querydirectory */
import { notFound } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { isRoomId } from '../../matrix/ids/room-id.ts';
import { isServerName } from '../../matrix/ids/server-name.ts';
import { limits } from '../../platform/limits.ts';
import type { RemoteAliases } from '../../rooms/ports.ts';
import type { FederationClient } from '../contract.ts';
import { FederationError } from '../federation-error.ts';

export function createRemoteAliases(client: FederationClient): RemoteAliases {
  return {
    async resolve(alias) {
      const destination = alias.slice(alias.indexOf(':') + 1) as ServerName;
      try {
        const path = '/_matrix/federation/v1/query/directory';
        const query = { room_alias: alias };
        const answer = await client.request({ destination, method: 'GET', path, query, isUrgent: true });
        const { room_id: roomId, servers } = answer;
        if (!isRoomId(roomId)) throw notFound(`${alias} leads to no room`);
        const named = Array.isArray(servers) ? servers.slice(0, limits.aliasServersMax) : [];
        return { roomId, servers: named.filter((name) => isServerName(name)) as ServerName[] };
      } catch (error) {
        if (error instanceof FederationError) throw notFound(`${alias} could not be looked up: ${error.message}`);
        throw error;
      }
    },
  };
}
