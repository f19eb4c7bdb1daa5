/** POST /_matrix/media_proxy/unstable/scan_encrypted — https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md */
import { defineEndpoint } from '../../endpoint.ts';
import {
  callerOf,
  encryptedFileBody,
  encryptedFileRequest,
  openOptions,
  type ScannerDomain,
  scannerErrorFields,
  scannerFor,
} from './scanner-requests.ts';

export const scanEncryptedContent = defineEndpoint({
  operationId: 'scanEncryptedContent',
  method: 'POST',
  path: '/_matrix/media_proxy/unstable/scan_encrypted',
  auth: 'optionalAccessToken',
  rateLimit: 'download',
  errorFields: scannerErrorFields,
  params: {},
  query: {},
  body: encryptedFileBody,
  async handle(request, domain: ScannerDomain) {
    const scanner = scannerFor(domain, request.requester);
    const file = await scanner.readRequest(encryptedFileRequest(request.body));
    const { clean, info } = await scanner.scanEncrypted(file, { ...openOptions(request), caller: callerOf(request) });
    return { json: { clean, info } };
  },
});
