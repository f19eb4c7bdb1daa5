/** PUT /_synapse/admin/v1/send_server_notice/{txnId} — https://element-hq.github.io/synapse/latest/admin_api/server_notices.html */
import type { ServerNotices } from '../../notices/server-notices.ts';
import { string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { noticeFrom, serverNoticeBody } from './server-notice-body.ts';

export const sendServerNoticeOnce = defineEndpoint({
  operationId: 'sendServerNoticeOnce',
  method: 'PUT',
  path: '/_synapse/admin/v1/send_server_notice/{txnId}',
  auth: 'adminAccessToken',
  rateLimit: 'send',
  params: { txnId: string() },
  query: {},
  body: serverNoticeBody,
  async handle({ params, body, requester }, { notices }: { notices: Pick<ServerNotices, 'send'> }) {
    const path = '/_synapse/admin/v1/send_server_notice';
    const transaction = { deviceNid: requester.deviceNid, path, txnId: params.txnId };
    return { json: { event_id: await notices.send(noticeFrom(body, transaction)) } };
  },
});
