/** POST /_matrix/media_proxy/unstable/download_encrypted — https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md */
import { defineEndpoint } from '../../endpoint.ts';
import { contentReply } from '../media/media-parameters.ts';
import {
  callerOf,
  encryptedFileBody,
  encryptedFileRequest,
  openOptions,
  type ScannerDomain,
  scannerErrorFields,
  scannerFor,
} from './scanner-requests.ts';

/** The file as it is stored, for the client to decrypt. */
export const downloadEncryptedContent = defineEndpoint({
  operationId: 'downloadEncryptedContent',
  method: 'POST',
  path: '/_matrix/media_proxy/unstable/download_encrypted',
  auth: 'optionalAccessToken',
  rateLimit: 'download',
  errorFields: scannerErrorFields,
  params: {},
  query: {},
  body: encryptedFileBody,
  async handle(request, domain: ScannerDomain) {
    const scanner = scannerFor(domain, request.requester);
    const file = await scanner.readRequest(encryptedFileRequest(request.body));
    return contentReply(await scanner.openEncrypted(file, { ...openOptions(request), caller: callerOf(request) }));
  },
});
