/** PUT /_matrix/federation/v1/send/{txnId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid */
import type { Receiving } from '../../federation/receive/index.ts';
import { limits } from '../../platform/limits.ts';
import { string } from '../decode.ts';
import { defineUnverifiedEndpoint } from '../endpoint.ts';

export interface ReceivingDomain {
  readonly receiving: Pick<Receiving, 'receiveTransaction'>;
}

export const sendTransaction = defineUnverifiedEndpoint({
  operationId: 'sendTransaction',
  method: 'PUT',
  path: '/_matrix/federation/v1/send/{txnId}',
  rateLimit: 'none',
  params: { txnId: string({ maxBytes: limits.transactionIdBytesMax }) },
  query: {},
  handle: async ({ params, body }, { receiving }: ReceivingDomain) => ({
    json: await receiving.receiveTransaction({ txnId: params.txnId, body }),
  }),
});
