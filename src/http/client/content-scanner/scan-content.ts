/** GET /_matrix/media_proxy/unstable/scan/{serverName}/{mediaId} — https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md */
import { defineEndpoint } from '../../endpoint.ts';
import { mxcOf, mxcParams } from '../media/media-parameters.ts';
import { openOptions, type ScannerDomain, scannerErrorFields, scannerFor } from './scanner-requests.ts';

export const scanContent = defineEndpoint({
  operationId: 'scanContent',
  method: 'GET',
  path: '/_matrix/media_proxy/unstable/scan/{serverName}/{mediaId}',
  auth: 'optionalAccessToken',
  rateLimit: 'download',
  errorFields: scannerErrorFields,
  params: mxcParams,
  query: {},
  async handle(request, domain: ScannerDomain) {
    const scanner = scannerFor(domain, request.requester);
    const { clean, info } = await scanner.scan(mxcOf(request.params), openOptions(request));
    return { json: { clean, info } };
  },
});
