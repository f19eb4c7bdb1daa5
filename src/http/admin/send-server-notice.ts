/** POST /_synapse/admin/v1/send_server_notice — https://element-hq.github.io/synapse/latest/admin_api/server_notices.html */
import type { ServerNotices } from '../../notices/server-notices.ts';
import { defineEndpoint } from '../endpoint.ts';
import { noticeFrom, serverNoticeBody } from './server-notice-body.ts';

export const sendServerNotice = defineEndpoint({
  operationId: 'sendServerNotice',
  method: 'POST',
  path: '/_synapse/admin/v1/send_server_notice',
  auth: 'adminAccessToken',
  rateLimit: 'send',
  params: {},
  query: {},
  body: serverNoticeBody,
  async handle({ body }, { notices }: { notices: Pick<ServerNotices, 'send'> }) {
    return { json: { event_id: await notices.send(noticeFrom(body, undefined)) } };
  },
});
