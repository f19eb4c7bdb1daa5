/** GET /_veche/admin/v1/statistics/media: how much there is of files (docs/files.md). */
import type { Total } from '../../../media/life/media-totals.ts';
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getMediaTotals = defineEndpoint({
  operationId: 'getMediaTotals',
  method: 'GET',
  path: '/_veche/admin/v1/statistics/media',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle(_request, { media }: { media: Pick<Media, 'administration'> }) {
    const { classes, stored, quarantined, references, named, protected: guarded } = await media.administration.totals();
    return {
      json: {
        local: totalReply(classes.local),
        remote: totalReply(classes.remote),
        previews: totalReply(classes.preview),
        thumbnails: totalReply(classes.thumbnail),
        stored: totalReply(stored),
        quarantined: { media_count: quarantined },
        protected: { media_count: guarded },
        referenced: { media_count: named, reference_count: references },
      },
    };
  },
});

const totalReply = ({ files, bytes }: Total) => ({ media_count: files, media_length: bytes });
