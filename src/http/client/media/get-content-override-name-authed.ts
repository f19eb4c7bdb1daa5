/** GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaidfilename */
import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { downloadReply, mxcOf, mxcParams, timeoutQuery } from './media-parameters.ts';

export const getContentOverrideNameAuthed = defineEndpoint({
  operationId: 'getContentOverrideNameAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}',
  auth: 'accessToken',
  rateLimit: 'download',
  allowGuests: true,
  params: { ...mxcParams, fileName: string() },
  query: timeoutQuery,
  async handle(request, { media }: { media: Pick<Media, 'openOrFollow'> }) {
    const { params, query } = request;
    const { fileName } = params;
    const options = { timeoutMs: query.timeout_ms, signal: () => request.signal, fileName };
    return downloadReply(await media.openOrFollow(mxcOf(params), options));
  },
});
