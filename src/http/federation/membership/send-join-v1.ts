/** PUT /_matrix/federation/v1/send_join/{roomId}/{eventId}: of earlier specifications, as old servers still ask. */
import type { Memberships } from '../../../federation/membership/index.ts';
import { eventId, roomId } from '../../client/rooms/identifiers.ts';
import { jsonObject } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendJoinV1 = defineEndpoint({
  operationId: 'sendJoinV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_join/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { memberships }: { memberships: Pick<Memberships, 'sendJoin'> }) {
    const request = { ...params, pdu: body, omitMembers: false };
    return { jsonPieces: inFirstVersion(await memberships.sendJoin(requester, request)) };
  },
});

async function* inFirstVersion(answer: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield Buffer.from('[200,');
  yield* answer;
  yield Buffer.from(']');
}
