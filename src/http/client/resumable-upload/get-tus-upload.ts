/** HEAD of tus 1.0: where an upload is. https://tus.io/protocols/resumable-upload#head docs/resumable-uploads.md */
import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineRawEndpoint } from '../../endpoint.ts';
import { answerTus } from './answer-tus.ts';
import { resumablePath } from './upload-exchange.ts';

export const getTusUpload = defineRawEndpoint({
  operationId: 'getTusUpload',
  method: 'HEAD',
  path: `${resumablePath}/tus/{uploadToken}`,
  auth: 'knownAccessToken',
  rateLimit: 'download',
  params: { uploadToken: string() },
  query: {},
  async handle(request, { media }: { media: Pick<Media, 'resumable'> }) {
    const { requester, params, body } = request;
    const header = (name: string): string | undefined => request.header(name);
    return await answerTus({ method: 'HEAD', token: params.uploadToken, requester, body, header }, media.resumable);
  },
});
