/** GET /_matrix/media/v3/preview_url — https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3preview_url */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { previewQuery, previewReply } from './preview-reply.ts';

export const getUrlPreview = defineEndpoint({
  operationId: 'getUrlPreview',
  method: 'GET',
  path: '/_matrix/media/v3/preview_url',
  alsoAt: ['/_matrix/media/v1/preview_url'],
  auth: 'accessToken',
  rateLimit: 'preview',
  params: {},
  query: previewQuery,
  handle: (request, { media }: { media: Pick<Media, 'previewUrl'> }) => previewReply(request, media),
});
