import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineRawEndpoint } from '../../endpoint.ts';
import { answerTus } from './answer-tus.ts';
import { resumablePath } from './upload-exchange.ts';

/** An operation of tus on an upload that was begun. https://tus.io/protocols/resumable-upload docs/resumable-uploads.md */
export const tusUploadEndpoint = (operationId: string, method: 'HEAD' | 'PATCH' | 'DELETE') =>
  defineRawEndpoint({
    operationId,
    method,
    path: `${resumablePath}/tus/{uploadToken}`,
    auth: 'knownAccessToken',
    rateLimit: 'download',
    params: { uploadToken: string() },
    query: {},
    async handle(request, { media }: { media: Pick<Media, 'resumable'> }) {
      const { requester, params, body } = request;
      const header = (name: string): string | undefined => request.header(name);
      return await answerTus({ method, token: params.uploadToken, requester, body, header }, media.resumable);
    },
  });
