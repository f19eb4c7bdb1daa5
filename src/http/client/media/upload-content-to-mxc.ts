/** PUT /_matrix/media/v3/upload/{serverName}/{mediaId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid */
import type { Media } from '../../../media/index.ts';
import { defineRawEndpoint } from '../../endpoint.ts';
import { mxcOf, mxcParams, uploadFacts, uploadQuery } from './media-parameters.ts';

export const uploadContentToMXC = defineRawEndpoint({
  operationId: 'uploadContentToMXC',
  method: 'PUT',
  path: '/_matrix/media/v3/upload/{serverName}/{mediaId}',
  auth: 'accessToken',
  rateLimit: 'upload',
  refusedWhileSuspended: true,
  params: mxcParams,
  query: uploadQuery,
  async handle(request, { media }: { media: Pick<Media, 'uploadToMxc'> }) {
    const { requester, params, body } = request;
    await media.uploadToMxc(requester, mxcOf(params), uploadFacts(request), body.chunks());
    return { json: {} };
  },
});
