/** GET /_matrix/client/v1/media/download/{serverName}/{mediaId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { downloadReply, mxcOf, mxcParams, timeoutQuery } from './media-parameters.ts';

export const getContentAuthed = defineEndpoint({
  operationId: 'getContentAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/download/{serverName}/{mediaId}',
  auth: 'accessToken',
  rateLimit: 'download',
  allowGuests: true,
  params: mxcParams,
  query: timeoutQuery,
  async handle(request, { media }: { media: Pick<Media, 'openOrFollow'> }) {
    const { params, query } = request;
    const options = { timeoutMs: query.timeout_ms, signal: () => request.signal };
    return downloadReply(await media.openOrFollow(mxcOf(params), options));
  },
});
