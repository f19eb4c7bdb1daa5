/** POST /_synapse/admin/v1/media/unquarantine/{serverName}/{mediaId} — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#remove-media-from-quarantine-by-id */
import type { Media } from '../../../media/index.ts';
import { mxcOf, mxcParams } from '../../client/media/media-parameters.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const unquarantineMedia = defineEndpoint({
  operationId: 'unquarantineMedia',
  method: 'POST',
  path: '/_synapse/admin/v1/media/unquarantine/{serverName}/{mediaId}',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: mxcParams,
  query: {},
  async handle({ params, requester }, { media }: { media: Pick<Media, 'administration'> }) {
    await media.administration.unquarantine(mxcOf(params), requester.userId);
    return { json: {} };
  },
});
