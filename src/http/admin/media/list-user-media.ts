/** GET /_synapse/admin/v1/users/{userId}/media — https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-media-uploaded-by-a-user */
import type { Media } from '../../../media/index.ts';
import { userId } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { mediaListQuery, mediaPageOf } from './media-list-parameters.ts';

export const listUserMedia = defineEndpoint({
  operationId: 'listUserMedia',
  method: 'GET',
  path: '/_synapse/admin/v1/users/{userId}/media',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: { userId: userId() },
  query: mediaListQuery,
  async handle({ params, query }, { media }: { media: Pick<Media, 'administration'> }) {
    const { rows, total, next } = await media.administration.listOfUser(params.userId, mediaPageOf(query));
    return {
      json: {
        media: rows.map((row) => ({
          created_ts: row.created_ts,
          last_access_ts: row.last_access_ts,
          media_id: row.media_id,
          media_length: row.bytes,
          media_type: row.content_type ?? 'application/octet-stream',
          quarantined_by: row.quarantined_by,
          safe_from_quarantine: row.protected === 1,
          upload_name: row.file_name,
        })),
        total,
        ...(next === undefined ? {} : { next_token: next }),
      },
    };
  },
});
