import type { Accounts } from '../../accounts/index.ts';
import type { Rooms } from '../../rooms/index.ts';
import { eventId, roomId } from '../client/rooms/identifiers.ts';
import { object, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

/** POST /_veche/admin/v1/operator/purge_history: `npm run purge-history` while the server runs, signed like a registration. */
export const purgeHistoryAsOperator = defineEndpoint({
  operationId: 'purgeHistoryAsOperator',
  method: 'POST',
  path: '/_veche/admin/v1/operator/purge_history',
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({ nonce: string(), mac: string(), room_id: roomId(), before: eventId() }),
  async handle(
    { body },
    { accounts, rooms }: { accounts: Pick<Accounts, 'operator'>; rooms: Pick<Rooms, 'purgeHistory'> },
  ) {
    const { nonce, mac, room_id: room, before } = body;
    accounts.operator.verifyOrder({ nonce, mac, order: '/purge_history', subjects: [room, before] });
    const { events, stateChanges, lines } = await rooms.purgeHistory(room, before);
    return { json: { events, state_changes: stateChanges, state_lines: lines } };
  },
});
