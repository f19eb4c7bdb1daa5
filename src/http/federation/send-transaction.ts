/** PUT /_matrix/federation/v1/send/{txnId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid */
import type { Receiving } from '../../federation/receive/index.ts';
import { limits } from '../../platform/limits.ts';
import { jsonObject, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

export interface ReceivingDomain {
  readonly receiving: Pick<Receiving, 'receiveTransaction'>;
}

export const sendTransaction = defineEndpoint({
  operationId: 'sendTransaction',
  method: 'PUT',
  path: '/_matrix/federation/v1/send/{txnId}',
  auth: 'serverSignature',
  rateLimit: 'none',
  params: { txnId: string({ maxBytes: limits.transactionIdBytesMax }) },
  query: {},
  body: jsonObject(),
  handle: async ({ params, body, requester }, { receiving }: ReceivingDomain) => ({
    json: await receiving.receiveTransaction({ origin: requester.origin, txnId: params.txnId, content: body }),
  }),
});
