/** GET /_matrix/client/v3/admin/whois/{userId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid */
import type { Accounts } from '../../../accounts/index.ts';
import { forbidden } from '../../../matrix/errors.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

/** For administrators, and for everybody about themselves. */
export const getWhoIs = defineEndpoint({
  operationId: 'getWhoIs',
  method: 'GET',
  path: '/_matrix/client/v3/admin/whois/{userId}',
  alsoAt: ['/_synapse/admin/v1/whois/{userId}'],
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: userId() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'readDevices'> }) {
    if (!requester.isAdmin && requester.userId !== params.userId) throw forbidden('You are not a server administrator');
    const devices = await accounts.readDevices(params.userId);
    return {
      json: {
        user_id: params.userId,
        devices: Object.fromEntries(
          devices.map(({ deviceId, lastSeenAddress = null, lastSeenTs = null, lastSeenUserAgent = null }) => {
            const connection = { ip: lastSeenAddress, last_seen: lastSeenTs, user_agent: lastSeenUserAgent };
            return [deviceId, { sessions: [{ connections: [connection] }] }];
          }),
        ),
      },
    };
  },
});
