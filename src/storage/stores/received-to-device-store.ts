/** Which messages to devices came from other servers: table received_to_device. */
import { defineWrite } from '../query.ts';

/** Fails with UniqueViolation when it came before. */
export const insertReceivedMessage = defineWrite<{ server: number; messageId: string; ts: number }>(
  'receivedToDevice.insert',
  (q, p) => q.insertInto('received_to_device').values({ server_nid: p.server, message_id: p.messageId, ts: p.ts }),
);

/** Those that will not be sent again. */
export const dropReceivedMessages = defineWrite<{ server: number; before: number }>('receivedToDevice.drop', (q, p) =>
  q.deleteFrom('received_to_device').where('server_nid', '=', p.server).where('ts', '<', p.before),
);
