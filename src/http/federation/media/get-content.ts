/** GET /_matrix/federation/v1/media/download/{mediaId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid */
import type { Media } from '../../../media/index.ts';
import { mxcOf, timeoutQuery } from '../../client/media/media-parameters.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { multipartReply } from './multipart-reply.ts';

export const getContentForServer = defineEndpoint({
  operationId: 'getContent',
  method: 'GET',
  path: '/_matrix/federation/v1/media/download/{mediaId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { mediaId: string() },
  query: timeoutQuery,
  async handle(request, { media }: { media: Pick<Media, 'open'> }) {
    const { params, query, requester } = request;
    const uri = mxcOf({ serverName: requester.destination, mediaId: params.mediaId });
    return multipartReply(await media.open(uri, { timeoutMs: query.timeout_ms, signal: () => request.signal }));
  },
});
