/** HEAD of draft-ietf-httpbis-resumable-upload, 4.3: where an upload is. docs/resumable-uploads.md */
import type { Media } from '../../../media/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { limitHeader, progressHeaders, withProblems } from './draft-fields.ts';
import { resumablePath } from './upload-exchange.ts';

export const getResumableUpload = defineEndpoint({
  operationId: 'getResumableUpload',
  method: 'HEAD',
  path: `${resumablePath}/upload/{uploadToken}`,
  auth: 'knownAccessToken',
  rateLimit: 'download',
  params: { uploadToken: string() },
  query: {},
  async handle({ params, requester }, { media }: { media: Pick<Media, 'resumable' | 'nowMs'> }) {
    const uploads = media.resumable;
    return await withProblems(uploads, async () => {
      const progress = await uploads.get(params.uploadToken, requester, { completes: false });
      const limit = limitHeader(uploads, progress.expiresTs - media.nowMs());
      return { status: 204, headers: { ...progressHeaders(progress), 'Upload-Limit': limit }, raw: '' };
    });
  },
});
