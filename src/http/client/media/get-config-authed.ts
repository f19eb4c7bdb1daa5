/** GET /_matrix/client/v1/media/config — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediaconfig */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getConfigAuthed = defineEndpoint({
  operationId: 'getConfigAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/config',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle(_request, { media }: { media: Pick<Media, 'uploadBytesMax'> }) {
    return { json: { 'm.upload.size': media.uploadBytesMax } };
  },
});
