/** DELETE of draft-ietf-httpbis-resumable-upload, 4.5. docs/resumable-uploads.md */
import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { withProblems } from './draft-fields.ts';
import { resumablePath } from './upload-exchange.ts';

export const cancelResumableUpload = defineEndpoint({
  operationId: 'cancelResumableUpload',
  method: 'DELETE',
  path: `${resumablePath}/upload/{uploadToken}`,
  auth: 'knownAccessToken',
  rateLimit: 'download',
  params: { uploadToken: string() },
  query: {},
  async handle({ params, requester }, { media }: { media: Pick<Media, 'resumable'> }) {
    return await withProblems(media.resumable, async () => {
      await media.resumable.cancel(params.uploadToken, requester);
      return { status: 204, headers: { 'Cache-Control': 'no-store' }, raw: '' };
    });
  },
});
