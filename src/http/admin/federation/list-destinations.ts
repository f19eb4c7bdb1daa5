/** GET /_synapse/admin/v1/federation/destinations — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/federation.html#list-of-destinations */
import { type DestinationAdministration, destinationOrders } from '../../../federation/send/administration.ts';
import { oneOf, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { destinationPageQuery, destinationReply } from './destination-reply.ts';

export const listDestinations = defineEndpoint({
  operationId: 'listDestinations',
  method: 'GET',
  path: '/_synapse/admin/v1/federation/destinations',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: {},
  query: { ...destinationPageQuery, order_by: withDefault(oneOf(...destinationOrders), 'destination') },
  async handle({ query }, { destinations }: { destinations: DestinationAdministration }) {
    const { from, limit, dir: direction, order_by: by } = query;
    const order = by === 'last_successful_stream_ordering' ? 'sent_pos' : by;
    const { rows, total, next } = await destinations.list({ from, limit, direction, order });
    return {
      json: {
        destinations: rows.map(destinationReply),
        total,
        ...(next === undefined ? {} : { next_token: String(next) }),
      },
    };
  },
});
