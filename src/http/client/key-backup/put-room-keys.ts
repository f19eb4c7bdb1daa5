/** PUT /_matrix/client/v3/room_keys/keys — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys */
import type { Encryption } from '../../../encryption/index.ts';
import { object, recordOf, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomKeyBackup, uploadedKeys } from './uploaded-keys.ts';

export const putRoomKeys = defineEndpoint({
  operationId: 'putRoomKeys',
  method: 'PUT',
  path: '/_matrix/client/v3/room_keys/keys',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: {},
  query: { version: string() },
  body: object({ rooms: recordOf(roomKeyBackup) }),
  async handle({ query, body, requester }, { encryption }: { encryption: Pick<Encryption, 'putBackedUpKeys'> }) {
    const { userNid } = requester;
    return { json: await encryption.putBackedUpKeys(userNid, query.version, uploadedKeys(body.rooms)) };
  },
});
