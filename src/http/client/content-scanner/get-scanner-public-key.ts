/** GET /_matrix/media_proxy/unstable/public_key — https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md */
import { defineEndpoint } from '../../endpoint.ts';
import { type ScannerDomain, scannerErrorFields, scannerOf } from './scanner-requests.ts';

export const getScannerPublicKey = defineEndpoint({
  operationId: 'getScannerPublicKey',
  method: 'GET',
  path: '/_matrix/media_proxy/unstable/public_key',
  auth: 'none',
  rateLimit: 'download',
  errorFields: scannerErrorFields,
  params: {},
  query: {},
  async handle(_request, { media }: ScannerDomain) {
    return { json: { public_key: await scannerOf(media).publicKey() } };
  },
});
