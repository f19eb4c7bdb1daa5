/** GET /_matrix/client/v1/media/preview_url — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { previewQuery, previewReply } from './preview-reply.ts';

export const getUrlPreviewAuthed = defineEndpoint({
  operationId: 'getUrlPreviewAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/preview_url',
  auth: 'accessToken',
  rateLimit: 'preview',
  params: {},
  query: previewQuery,
  handle: (request, { media }: { media: Pick<Media, 'previewUrl'> }) => previewReply(request, media),
});
