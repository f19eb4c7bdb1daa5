/** PATCH of draft-ietf-httpbis-resumable-upload, 4.4. docs/resumable-uploads.md */
import { MatrixError, missingParam } from '../../../matrix/errors.ts';
import { formatMxcUri } from '../../../matrix/ids/mxc-uri.ts';
import type { Media } from '../../../media/index.ts';
import type { UploadProgress } from '../../../media/resumable/upload-progress.ts';
import { string } from '../../decode.ts';
import { defineRawEndpoint, type RawReply } from '../../endpoint.ts';
import {
  booleanField,
  integerField,
  lengthSaid,
  progressHeaders,
  sendInterim,
  understandsInterim,
  withProblems,
} from './draft-fields.ts';
import { resumablePath } from './upload-exchange.ts';

export const appendResumableUpload = defineRawEndpoint({
  operationId: 'appendResumableUpload',
  method: 'PATCH',
  path: `${resumablePath}/upload/{uploadToken}`,
  auth: 'knownAccessToken',
  rateLimit: 'download',
  params: { uploadToken: string() },
  query: {},
  async handle(request, { media }: { media: Pick<Media, 'resumable'> }) {
    const { params, requester, body } = request;
    return await withProblems(media.resumable, async () => {
      assertPartialUpload(request.header('content-type'));
      const offsetBytes = integerField(request.header('upload-offset'));
      if (offsetBytes === undefined) throw missingParam('Upload-Offset is missing, or no whole number');
      const isLast = booleanField(request.header('upload-complete'));
      if (isLast === undefined) throw missingParam('Upload-Complete is missing: ?1 with the last bytes, or ?0');
      const said = integerField(request.header('upload-length'));
      const onProgress = (bytes: number): void => sendInterim(body, { 'Upload-Offset': String(bytes) });
      const progress = await media.resumable.append(params.uploadToken, requester, {
        offsetBytes,
        isLast,
        lengthBytes: lengthSaid(said, { offsetBytes, isLast, body }),
        body,
        ...(understandsInterim(request) ? { onProgress } : {}),
      });
      return reply(progress);
    });
  },
});

function reply(progress: UploadProgress): RawReply {
  const headers = progressHeaders(progress);
  if (!progress.isComplete) return { status: 204, headers, raw: '' };
  const raw = JSON.stringify({ content_uri: formatMxcUri(progress.uri) });
  return { status: 200, headers: { 'Content-Type': 'application/json', ...headers }, raw };
}

function assertPartialUpload(contentType: string | undefined): void {
  if (contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/partial-upload')
    throw new MatrixError(415, 'M_UNKNOWN', 'What is appended to an upload is of the type application/partial-upload');
}
