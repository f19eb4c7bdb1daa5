/** GET /_matrix/federation/v1/media/thumbnail/{mediaId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediathumbnailmediaid */
import type { Media } from '../../../media/index.ts';
import { mxcOf, timeoutQuery } from '../../client/media/media-parameters.ts';
import { thumbnailQuery, thumbnailWish } from '../../client/media/thumbnail-parameters.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { multipartReply } from './multipart-reply.ts';

export const getContentThumbnailForServer = defineEndpoint({
  operationId: 'getContentThumbnail',
  method: 'GET',
  path: '/_matrix/federation/v1/media/thumbnail/{mediaId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { mediaId: string() },
  query: { ...timeoutQuery, ...thumbnailQuery },
  async handle(request, { media }: { media: Pick<Media, 'openThumbnail'> }) {
    const { params, query, requester } = request;
    const uri = mxcOf({ serverName: requester.destination, mediaId: params.mediaId });
    const options = { timeoutMs: query.timeout_ms, signal: () => request.signal };
    return multipartReply(await media.openThumbnail(uri, thumbnailWish(query), options));
  },
});
