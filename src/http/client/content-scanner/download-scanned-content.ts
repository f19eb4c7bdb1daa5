/** GET /_matrix/media_proxy/unstable/download/{serverName}/{mediaId} — https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { contentReply, mxcOf, mxcParams } from '../media/media-parameters.ts';
import { openOptions, scannerErrorFields, scannerFor } from './scanner-requests.ts';

export const downloadScannedContent = defineEndpoint({
  operationId: 'downloadScannedContent',
  method: 'GET',
  path: '/_matrix/media_proxy/unstable/download/{serverName}/{mediaId}',
  auth: 'optionalAccessToken',
  rateLimit: 'download',
  errorFields: scannerErrorFields,
  params: mxcParams,
  query: {},
  async handle(request, { media }: { media: Pick<Media, 'contentScanner' | 'open'> }) {
    const scanner = scannerFor({ media }, request.requester);
    const uri = mxcOf(request.params);
    return contentReply(await scanner.explain(uri, () => media.open(uri, openOptions(request))));
  },
});
