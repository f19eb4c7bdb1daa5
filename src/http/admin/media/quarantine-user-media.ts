/** POST /_synapse/admin/v1/user/{userId}/media/quarantine — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#quarantining-all-media-of-a-user */
import type { Media } from '../../../media/index.ts';
import { userId } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const quarantineUserMedia = defineEndpoint({
  operationId: 'quarantineUserMedia',
  method: 'POST',
  path: '/_synapse/admin/v1/user/{userId}/media/quarantine',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { userId: userId() },
  query: {},
  async handle({ params, requester }, { media }: { media: Pick<Media, 'administration'> }) {
    const count = await media.administration.quarantineOfUser(params.userId, requester.userId);
    return { json: { num_quarantined: count } };
  },
});
