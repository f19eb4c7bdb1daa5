/** POST /_matrix/media/v3/upload — https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload */
import { formatMxcUri } from '../../../matrix/ids/mxc-uri.ts';
import type { Media } from '../../../media/index.ts';
import { defineRawEndpoint } from '../../endpoint.ts';
import { uploadFacts, uploadQuery } from './media-parameters.ts';

export const uploadContent = defineRawEndpoint({
  operationId: 'uploadContent',
  method: 'POST',
  path: '/_matrix/media/v3/upload',
  alsoAt: ['/_matrix/media/v1/upload'],
  auth: 'accessToken',
  rateLimit: 'upload',
  refusedWhileSuspended: true,
  params: {},
  query: uploadQuery,
  async handle(request, { media }: { media: Pick<Media, 'upload'> }) {
    const uri = await media.upload(request.requester, uploadFacts(request), request.body.chunks());
    return { json: { content_uri: formatMxcUri(uri) } };
  },
});
