/** GET /_veche/admin/v1/federation/destinations/{destination}: how far behind another server is, and why (docs/federation.md). */
import type { DestinationAdministration, DestinationDetails } from '../../../federation/send/administration.ts';
import { serverName } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const describeDestination = defineEndpoint({
  operationId: 'describeDestination',
  method: 'GET',
  path: '/_veche/admin/v1/federation/destinations/{destination}',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: { destination: serverName() },
  query: {},
  async handle({ params }, { destinations }: { destinations: DestinationAdministration }) {
    return { json: detailsReply(await destinations.details(params.destination)) };
  },
});

export const detailsReply = (details: DestinationDetails) => ({
  destination: details.destination,
  why: details.why,
  events_behind: details.eventsBehind,
  events_behind_max: details.eventsBehindMax,
  ms_behind: details.msBehind,
  edus_waiting: details.edusWaiting,
  events_in_memory: details.eventsInMemory,
  failures: details.failures,
  failing_since_ts: details.failingSinceTs,
  retry_ts: details.retryTs,
  last_error: details.lastError,
  last_success_ts: details.lastSuccessTs,
});
