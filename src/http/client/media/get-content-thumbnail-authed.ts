/** GET /_matrix/client/v1/media/thumbnail/{serverName}/{mediaId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediathumbnailservernamemediaid */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { contentReply, mxcOf, mxcParams, timeoutQuery } from './media-parameters.ts';
import { thumbnailQuery, thumbnailWish } from './thumbnail-parameters.ts';

export const getContentThumbnailAuthed = defineEndpoint({
  operationId: 'getContentThumbnailAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}',
  auth: 'accessToken',
  rateLimit: 'download',
  allowGuests: true,
  params: mxcParams,
  query: { ...timeoutQuery, ...thumbnailQuery },
  async handle(request, { media }: { media: Pick<Media, 'openThumbnail'> }) {
    const { params, query } = request;
    const options = { timeoutMs: query.timeout_ms, signal: () => request.signal };
    return contentReply(await media.openThumbnail(mxcOf(params), thumbnailWish(query), options));
  },
});
