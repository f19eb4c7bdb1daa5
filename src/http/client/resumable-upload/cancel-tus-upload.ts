/** DELETE of tus 1.0, extension termination. https://tus.io/protocols/resumable-upload#termination docs/resumable-uploads.md */
import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineRawEndpoint } from '../../endpoint.ts';
import { answerTus } from './answer-tus.ts';
import { resumablePath } from './upload-exchange.ts';

export const cancelTusUpload = defineRawEndpoint({
  operationId: 'cancelTusUpload',
  method: 'DELETE',
  path: `${resumablePath}/tus/{uploadToken}`,
  auth: 'knownAccessToken',
  rateLimit: 'download',
  params: { uploadToken: string() },
  query: {},
  async handle(request, { media }: { media: Pick<Media, 'resumable'> }) {
    const { requester, params, body } = request;
    const header = (name: string): string | undefined => request.header(name);
    return await answerTus({ method: 'DELETE', token: params.uploadToken, requester, body, header }, media.resumable);
  },
});
