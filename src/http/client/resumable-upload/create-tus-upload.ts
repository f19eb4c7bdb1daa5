/** POST of tus 1.0, extension creation. https://tus.io/protocols/resumable-upload#creation docs/resumable-uploads.md */
import type { Media } from '../../../media/index.ts';
import { defineRawEndpoint } from '../../endpoint.ts';
import { answerTus } from './answer-tus.ts';
import { resumablePath } from './upload-exchange.ts';

export const createTusUpload = defineRawEndpoint({
  operationId: 'createTusUpload',
  method: 'POST',
  path: `${resumablePath}/tus`,
  auth: 'accessToken',
  rateLimit: 'upload',
  refusedWhileSuspended: true,
  params: {},
  query: {},
  async handle(request, { media }: { media: Pick<Media, 'resumable'> }) {
    const { requester, body } = request;
    const header = (name: string): string | undefined => request.header(name);
    return await answerTus({ method: 'POST', token: undefined, requester, body, header }, media.resumable);
  },
});
