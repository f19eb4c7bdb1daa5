/** GET /_matrix/media/v3/download/{serverName}/{mediaId}/{fileName} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaidfilename */
import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertNotFrozen, downloadReply, legacyQuery, mxcOf, mxcParams } from './media-parameters.ts';

export const getContentOverrideName = defineEndpoint({
  operationId: 'getContentOverrideName',
  method: 'GET',
  path: '/_matrix/media/v3/download/{serverName}/{mediaId}/{fileName}',
  alsoAt: ['/_matrix/media/v1/download/{serverName}/{mediaId}/{fileName}'],
  auth: 'none',
  rateLimit: 'download',
  params: { ...mxcParams, fileName: string() },
  query: legacyQuery,
  async handle(request, { media }: { media: Pick<Media, 'openOrFollow' | 'allowUnauthenticated'> }) {
    const { params, query } = request;
    assertNotFrozen(media);
    const { fileName } = params;
    const options = {
      allowRemote: query.allow_remote,
      timeoutMs: query.timeout_ms,
      signal: () => request.signal,
      fileName,
    };
    return downloadReply(await media.openOrFollow(mxcOf(params), options));
  },
});
