/** POST /_synapse/admin/v1/media/protect/{mediaId} — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#protecting-media-from-being-quarantined */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { mediaId } from './media-id.ts';

export const protectMedia = defineEndpoint({
  operationId: 'protectMedia',
  method: 'POST',
  path: '/_synapse/admin/v1/media/protect/{mediaId}',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { mediaId: mediaId() },
  query: {},
  async handle({ params }, { media }: { media: Pick<Media, 'administration'> }) {
    await media.administration.setProtected(params.mediaId, true);
    return { json: {} };
  },
});
