/** GET /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomidsessionid */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getRoomKeyBySessionId = defineEndpoint({
  operationId: 'getRoomKeyBySessionId',
  method: 'GET',
  path: '/_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId(), sessionId: string({ maxBytes: 255 }) },
  query: { version: string() },
  async handle({ params, query, requester }, { encryption }: { encryption: Pick<Encryption, 'readBackedUpKey'> }) {
    return { json: await encryption.readBackedUpKey(requester.userNid, query.version, params) };
  },
});
