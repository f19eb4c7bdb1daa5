/** GET /_matrix/media_proxy/unstable/thumbnail/{serverName}/{mediaId} — https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { contentReply, mxcOf, mxcParams } from '../media/media-parameters.ts';
import { thumbnailQuery, thumbnailWish } from '../media/thumbnail-parameters.ts';
import { openOptions, scannerErrorFields, scannerFor } from './scanner-requests.ts';

export const getScannedThumbnail = defineEndpoint({
  operationId: 'getScannedThumbnail',
  method: 'GET',
  path: '/_matrix/media_proxy/unstable/thumbnail/{serverName}/{mediaId}',
  auth: 'optionalAccessToken',
  rateLimit: 'download',
  errorFields: scannerErrorFields,
  params: mxcParams,
  query: thumbnailQuery,
  async handle(request, { media }: { media: Pick<Media, 'contentScanner' | 'openThumbnail'> }) {
    const scanner = scannerFor({ media }, request.requester);
    const uri = mxcOf(request.params);
    const wish = thumbnailWish(request.query);
    return contentReply(await scanner.explain(uri, () => media.openThumbnail(uri, wish, openOptions(request))));
  },
});
