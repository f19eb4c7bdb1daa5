/** GET /_matrix/media/v3/config — https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3config */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getConfig = defineEndpoint({
  operationId: 'getConfig',
  method: 'GET',
  path: '/_matrix/media/v3/config',
  alsoAt: ['/_matrix/media/v1/config'],
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle(_request, { media }: { media: Pick<Media, 'uploadBytesMax'> }) {
    return { json: { 'm.upload.size': media.uploadBytesMax } };
  },
});
