/** POST /_matrix/media/v1/create — https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav1create */
import { formatMxcUri } from '../../../matrix/ids/mxc-uri.ts';
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const createContent = defineEndpoint({
  operationId: 'createContent',
  method: 'POST',
  path: '/_matrix/media/v1/create',
  auth: 'accessToken',
  rateLimit: 'upload',
  refusedWhileSuspended: true,
  params: {},
  query: {},
  async handle({ requester }, { media }: { media: Pick<Media, 'create'> }) {
    const { uri, unusedExpiresTs } = await media.create(requester);
    return { json: { content_uri: formatMxcUri(uri), unused_expires_at: unusedExpiresTs } };
  },
});
