/** POST /_synapse/admin/v1/media/quarantine/{serverName}/{mediaId} — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#quarantining-media-by-id */
import type { Media } from '../../../media/index.ts';
import { mxcOf, mxcParams } from '../../client/media/media-parameters.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const quarantineMedia = defineEndpoint({
  operationId: 'quarantineMedia',
  method: 'POST',
  path: '/_synapse/admin/v1/media/quarantine/{serverName}/{mediaId}',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: mxcParams,
  query: {},
  async handle({ params, requester }, { media }: { media: Pick<Media, 'administration'> }) {
    await media.administration.quarantine(mxcOf(params), requester.userId);
    return { json: {} };
  },
});
