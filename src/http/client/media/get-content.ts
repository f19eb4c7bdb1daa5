/** GET /_matrix/media/v3/download/{serverName}/{mediaId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaid */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertNotFrozen, downloadReply, legacyQuery, mxcOf, mxcParams } from './media-parameters.ts';

export const getContent = defineEndpoint({
  operationId: 'getContent',
  method: 'GET',
  path: '/_matrix/media/v3/download/{serverName}/{mediaId}',
  alsoAt: ['/_matrix/media/v1/download/{serverName}/{mediaId}'],
  auth: 'none',
  rateLimit: 'download',
  params: mxcParams,
  query: legacyQuery,
  async handle(request, { media }: { media: Pick<Media, 'openOrFollow' | 'allowUnauthenticated'> }) {
    const { params, query } = request;
    assertNotFrozen(media);
    const options = { allowRemote: query.allow_remote, timeoutMs: query.timeout_ms, signal: () => request.signal };
    return downloadReply(await media.openOrFollow(mxcOf(params), options));
  },
});
