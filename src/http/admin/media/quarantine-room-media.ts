/** POST /_synapse/admin/v1/room/{roomId}/media/quarantine — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#quarantining-media-in-a-room */
import type { Media } from '../../../media/index.ts';
import { roomId } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const quarantineRoomMedia = defineEndpoint({
  operationId: 'quarantineRoomMedia',
  method: 'POST',
  path: '/_synapse/admin/v1/room/{roomId}/media/quarantine',
  alsoAt: ['/_synapse/admin/v1/quarantine_media/{roomId}'],
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { roomId: roomId() },
  query: {},
  async handle({ params, requester }, { media }: { media: Pick<Media, 'administration'> }) {
    const count = await media.administration.quarantineInRoom(params.roomId, requester.userId);
    return { json: { num_quarantined: count } };
  },
});
