/** GET /_synapse/admin/v1/room/{roomId}/media — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#list-all-media-in-a-room */
import type { Media } from '../../../media/index.ts';
import { roomId } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const listRoomMedia = defineEndpoint({
  operationId: 'listRoomMedia',
  method: 'GET',
  path: '/_synapse/admin/v1/room/{roomId}/media',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: {},
  async handle({ params }, { media }: { media: Pick<Media, 'administration'> }) {
    const { local, remote } = await media.administration.listOfRoom(params.roomId);
    return { json: { local, remote } };
  },
});
