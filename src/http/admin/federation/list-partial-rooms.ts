/** GET /_veche/admin/v1/federation/partial_rooms: rooms that were joined and whose members are not known yet (docs/federation.md). */
import type { PartialStates } from '../../../federation/partial/partial-states.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const listPartialRooms = defineEndpoint({
  operationId: 'listPartialRooms',
  method: 'GET',
  path: '/_veche/admin/v1/federation/partial_rooms',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle(_request, { partialStates }: { partialStates: Pick<PartialStates, 'progress'> }) {
    const rooms = await partialStates.progress();
    return {
      json: {
        rooms: rooms.map((room) => ({
          room_id: room.roomId,
          join_event_id: room.joinId,
          started_ts: room.startedTs,
          events: room.wanted,
          events_here: room.stored,
          server: room.server ?? null,
          failures: room.failures,
          last_error: room.lastError ?? null,
          retry_ts: room.retryTs ?? null,
        })),
      },
    };
  },
});
