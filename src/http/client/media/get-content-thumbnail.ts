/** GET /_matrix/media/v3/thumbnail/{serverName}/{mediaId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3thumbnailservernamemediaid */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertNotFrozen, contentReply, legacyQuery, mxcOf, mxcParams } from './media-parameters.ts';
import { thumbnailQuery, thumbnailWish } from './thumbnail-parameters.ts';

export const getContentThumbnail = defineEndpoint({
  operationId: 'getContentThumbnail',
  method: 'GET',
  path: '/_matrix/media/v3/thumbnail/{serverName}/{mediaId}',
  alsoAt: ['/_matrix/media/v1/thumbnail/{serverName}/{mediaId}'],
  auth: 'none',
  rateLimit: 'download',
  params: mxcParams,
  query: { ...legacyQuery, ...thumbnailQuery },
  async handle(request, { media }: { media: Pick<Media, 'openThumbnail' | 'allowUnauthenticated'> }) {
    const { params, query } = request;
    assertNotFrozen(media);
    const options = { allowRemote: query.allow_remote, timeoutMs: query.timeout_ms, signal: () => request.signal };
    return contentReply(await media.openThumbnail(mxcOf(params), thumbnailWish(query), options));
  },
});
