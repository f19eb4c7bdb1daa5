/** PUT /_matrix/client/v3/sendToDevice/{eventType}/{txnId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid */
import type { Encryption } from '../../../encryption/index.ts';
import { jsonObject, object, recordOf, string } from '../../decode.ts';
import { isUserId, serverNameOf } from '../../../matrix/ids/user-id.ts';
import type { FederationOfUsers } from '../federation-of-users.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendToDevice = defineEndpoint({
  operationId: 'sendToDevice',
  method: 'PUT',
  path: '/_matrix/client/v3/sendToDevice/{eventType}/{txnId}',
  auth: 'accessToken',
  rateLimit: 'signal',
  allowGuests: true,
  params: { eventType: string({ maxBytes: 255 }), txnId: string({ maxBytes: 255 }) },
  query: {},
  body: object({ messages: recordOf(recordOf(jsonObject())) }),
  async handle(
    { params, body, requester },
    { encryption, federation, localServers }: { encryption: Pick<Encryption, 'sendToDevice'> } & FederationOfUsers,
  ) {
    if (Object.keys(body.messages).some((userId) => isUserId(userId) && !localServers.isLocal(serverNameOf(userId))))
      federation.policy.assertMayFederate(requester.userId, 'outgoing');
    const { eventType: type, txnId } = params;
    await encryption.sendToDevice(requester, { type, messages: body.messages, txnId });
    return { json: {} };
  },
});
