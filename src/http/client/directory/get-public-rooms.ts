/** GET /_matrix/client/v3/publicRooms — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms */
import type { RemoteDirectory } from '../../../federation/query/remote-directory.ts';
import type { LocalServers } from '../../../platform/local-servers.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { optional, queryInteger, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { serverName } from '../rooms/identifiers.ts';

export const getPublicRooms = defineEndpoint({
  operationId: 'getPublicRooms',
  method: 'GET',
  path: '/_matrix/client/v3/publicRooms',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: { limit: optional(queryInteger({ min: 0 })), since: optional(string()), server: optional(serverName()) },
  async handle(
    { query: { server, ...query } },
    {
      rooms,
      localServers,
      remoteDirectory,
    }: { rooms: Pick<Rooms, 'publicRooms'>; localServers: LocalServers; remoteDirectory: RemoteDirectory },
  ) {
    if (server !== undefined && !localServers.isLocal(server))
      return { json: await remoteDirectory.publicRooms(server, query) };
    return { json: await rooms.publicRooms(query) };
  },
});
