/** POST of draft-ietf-httpbis-resumable-upload, 4.2. docs/resumable-uploads.md */
import { parse } from 'content-disposition';
import type { Requester } from '../../../accounts/requester.ts';
import { MatrixError, missingParam } from '../../../matrix/errors.ts';
import { formatMxcUri } from '../../../matrix/ids/mxc-uri.ts';
import type { Media } from '../../../media/index.ts';
import type { ResumableUploads } from '../../../media/resumable/resumable-uploads.ts';
import type { UploadProgress } from '../../../media/resumable/upload-progress.ts';
import { optional, string } from '../../decode.ts';
import { defineRawEndpoint, type RawReply, type StreamedBody } from '../../endpoint.ts';
import {
  booleanField,
  integerField,
  lengthSaid,
  limitHeader,
  locationOf,
  progressHeaders,
  sendInterim,
  understandsInterim,
  withProblems,
} from './draft-fields.ts';
import { resumablePath, uriToFill } from './upload-exchange.ts';

export const createResumableUpload = defineRawEndpoint({
  operationId: 'createResumableUpload',
  method: 'POST',
  path: `${resumablePath}/upload`,
  auth: 'accessToken',
  rateLimit: 'upload',
  refusedWhileSuspended: true,
  params: {},
  query: { filename: optional(string()), content_uri: optional(string()) },
  async handle(request, { media }: { media: Pick<Media, 'resumable'> }) {
    return await withProblems(media.resumable, () => create(request, media.resumable));
  },
});

interface Creation {
  readonly requester: Requester;
  readonly query: { readonly filename: string | undefined; readonly content_uri: string | undefined };
  readonly body: StreamedBody;
  header(name: string): string | undefined;
}

async function create(request: Creation, uploads: ResumableUploads): Promise<RawReply> {
  const { requester, query, body } = request;
  const isLast = booleanField(request.header('upload-complete'));
  if (isLast === undefined)
    throw missingParam('Upload-Complete is missing: ?1 when the body is all of the file, or ?0');
  const said = integerField(request.header('upload-length'));
  const { token, progress } = await uploads.create(requester, {
    contentType: request.header('content-type'),
    fileName: query.filename ?? dispositionName(request.header('content-disposition')),
    lengthBytes: lengthSaid(said, { offsetBytes: 0, isLast, body }),
    uri: uriToFill(query.content_uri),
  });
  const isInterim = understandsInterim(request);
  const resource = { Location: locationOf(token), 'Upload-Limit': limitHeader(uploads) };
  if (isInterim) sendInterim(body, resource);
  if (body.lengthBytes === 0 && !isLast) return reply(progress, resource);
  const onProgress = (offsetBytes: number): void => sendInterim(body, { 'Upload-Offset': String(offsetBytes) });
  try {
    const part = { offsetBytes: 0, lengthBytes: undefined, isLast, body, ...(isInterim ? { onProgress } : {}) };
    return reply(await uploads.append(token, requester, part), resource);
  } catch (error) {
    // Of an upload that the client never heard of, or that was refused, nothing may be left.
    const isRefused = error instanceof MatrixError && error.status < 500;
    if (!isInterim || isRefused) await forget(uploads, token, requester);
    throw error;
  }
}

function reply(progress: UploadProgress, resource: Readonly<Record<string, string>>): RawReply {
  return {
    status: progress.isComplete ? 200 : 201,
    headers: { 'Content-Type': 'application/json', ...progressHeaders(progress), ...resource },
    raw: JSON.stringify({ content_uri: formatMxcUri(progress.uri) }),
  };
}

async function forget(uploads: ResumableUploads, token: string, requester: Requester): Promise<void> {
  try {
    await uploads.cancel(token, requester);
  } catch (error) {
    // It went by itself.
    if (!(error instanceof MatrixError && error.status === 404)) throw error;
  }
}

/** The file name of a Content-Disposition header; undefined where there is none that can be read. */
function dispositionName(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  try {
    return parse(header).parameters['filename'];
  } catch {
    return undefined;
  }
}
