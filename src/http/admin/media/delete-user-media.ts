/** DELETE /_synapse/admin/v1/users/{userId}/media — https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#delete-media-uploaded-by-a-user */
import type { Media } from '../../../media/index.ts';
import { userId } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { deletedMediaReply } from './deleted-media-reply.ts';
import { mediaListQuery, mediaPageOf } from './media-list-parameters.ts';

export const deleteUserMedia = defineEndpoint({
  operationId: 'deleteUserMedia',
  method: 'DELETE',
  path: '/_synapse/admin/v1/users/{userId}/media',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { userId: userId() },
  query: mediaListQuery,
  async handle({ params, query }, { media }: { media: Pick<Media, 'administration'> }) {
    return { json: deletedMediaReply(await media.administration.deleteOfUser(params.userId, mediaPageOf(query))) };
  },
});
