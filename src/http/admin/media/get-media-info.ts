/** GET /_synapse/admin/v1/media/{serverName}/{mediaId} — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#query-a-piece-of-media-by-id */
import type { Media } from '../../../media/index.ts';
import { mxcOf, mxcParams } from '../../client/media/media-parameters.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getMediaInfo = defineEndpoint({
  operationId: 'getMediaInfo',
  method: 'GET',
  path: '/_synapse/admin/v1/media/{serverName}/{mediaId}',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: mxcParams,
  query: {},
  async handle({ params }, { media }: { media: Pick<Media, 'administration'> }) {
    const uri = mxcOf(params);
    const { row, userId, isLocal } = await media.administration.find(uri);
    return {
      json: {
        media_info: {
          media_origin: isLocal ? null : uri.serverName,
          user_id: userId ?? null,
          media_id: uri.mediaId,
          media_type: row.content_type,
          media_length: row.bytes,
          upload_name: row.file_name,
          created_ts: row.created_ts,
          // Contents are stored under their hashes.
          filesystem_id: null,
          url_cache: null,
          last_access_ts: row.last_access_ts,
          quarantined_by: row.quarantined_by,
          authenticated: true,
          safe_from_quarantine: isLocal ? row.protected === 1 : null,
          sha256: row.sha256?.toString('hex') ?? null,
        },
      },
    };
  },
});
