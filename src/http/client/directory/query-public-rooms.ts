/** POST /_matrix/client/v3/publicRooms — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms */
import type { RemoteDirectory } from '../../../federation/query/remote-directory.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import type { FederationOfUsers } from '../federation-of-users.ts';
import { serverName } from '../rooms/identifiers.ts';
import { publicRoomsBody, publicRoomsQueryOf } from './public-rooms-body.ts';

export const queryPublicRooms = defineEndpoint({
  operationId: 'queryPublicRooms',
  method: 'POST',
  path: '/_matrix/client/v3/publicRooms',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { server: optional(serverName()) },
  body: publicRoomsBody,
  async handle(
    { query, body, requester },
    {
      rooms,
      localServers,
      remoteDirectory,
      federation,
    }: { rooms: Pick<Rooms, 'publicRooms'>; remoteDirectory: RemoteDirectory } & FederationOfUsers,
  ) {
    const { server } = query;
    const question = publicRoomsQueryOf(body);
    if (server === undefined || localServers.isLocal(server)) return { json: await rooms.publicRooms(question) };
    federation.policy.assertMayFederate(requester.userId, 'outgoing');
    const { searchTerm, roomTypes } = question;
    const filter = {
      ...(searchTerm === undefined ? {} : { generic_search_term: searchTerm }),
      ...(roomTypes === undefined ? {} : { room_types: [...roomTypes] }),
    };
    return {
      json: await remoteDirectory.publicRooms(server, {
        ...question,
        ...(Object.keys(filter).length === 0 ? {} : { filter }),
      }),
    };
  },
});
