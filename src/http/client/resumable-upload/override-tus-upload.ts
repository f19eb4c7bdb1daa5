/**
 * POST in the place of another method, for clients that can send no other.
 * https://tus.io/protocols/resumable-upload#x-http-method-override docs/resumable-uploads.md
 */
import { unrecognizedMethod } from '../../errors.ts';
import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineRawEndpoint } from '../../endpoint.ts';
import { answerTus } from './answer-tus.ts';
import { resumablePath } from './upload-exchange.ts';

export const overrideTusUpload = defineRawEndpoint({
  operationId: 'overrideTusUpload',
  method: 'POST',
  path: `${resumablePath}/tus/{uploadToken}`,
  auth: 'knownAccessToken',
  rateLimit: 'download',
  params: { uploadToken: string() },
  query: {},
  async handle(request, { media }: { media: Pick<Media, 'resumable'> }) {
    const { requester, params, body } = request;
    const method = request.header('x-http-method-override')?.toUpperCase();
    if (method !== 'PATCH' && method !== 'DELETE' && method !== 'HEAD') throw unrecognizedMethod();
    const header = (name: string): string | undefined => request.header(name);
    return await answerTus({ method, token: params.uploadToken, requester, body, header }, media.resumable);
  },
});
