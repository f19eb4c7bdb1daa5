/** GET /_synapse/admin/v1/statistics/users/media — https://element-hq.github.io/synapse/latest/admin_api/statistics.html#users-media-usage-statistics */
import type { Media } from '../../../media/index.ts';
import { statisticsOrderNames } from '../../../media/media-orders.ts';
import { oneOf, optional, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pageQuery } from './media-list-parameters.ts';

export const getUserMediaStatistics = defineEndpoint({
  operationId: 'getUserMediaStatistics',
  method: 'GET',
  path: '/_synapse/admin/v1/statistics/users/media',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: {},
  query: {
    ...pageQuery,
    order_by: withDefault(oneOf(...statisticsOrderNames), 'user_id'),
    from_ts: optional(queryInteger({ min: 0 })),
    until_ts: optional(queryInteger({ min: 0 })),
    search_term: optional(string()),
  },
  async handle({ query }, { media }: { media: Pick<Media, 'administration'> }) {
    const { rows, total, next } = await media.administration.statistics({
      from: query.from,
      limit: query.limit,
      order: query.order_by,
      direction: query.dir ?? 'f',
      fromTs: query.from_ts,
      untilTs: query.until_ts,
      term: query.search_term,
    });
    return {
      json: {
        users: rows.map((row) => ({
          displayname: row.displayName ?? null,
          media_count: row.files,
          media_length: row.bytes,
          user_id: row.userId,
        })),
        total,
        ...(next === undefined ? {} : { next_token: next }),
      },
    };
  },
});
