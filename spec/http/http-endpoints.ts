/** Endpoints for specs of the HTTP layer: they say what they were given. */
import { arrayOf, integer, object, optional, queryInteger, string, withDefault } from '../../src/http/decode.ts';
import { defineEndpoint, type Endpoint } from '../../src/http/endpoint.ts';
import type { Authenticator } from '../../src/http/auth/authenticator.ts';
import type { Requester } from '../../src/accounts/requester.ts';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { MatrixError } from '../../src/matrix/errors.ts';

export const alice: Requester = {
  userId: '@alice:localhost' as UserId,
  userNid: 1,
  deviceId: 'PHONE',
  deviceNid: 1,
  isAdmin: false,
  isGuest: false,
  isSuspended: false,
  tokenHash: Buffer.alloc(32),
};

export const testAuthenticator: Authenticator = {
  authenticate: async (token, { allowLocked }) => {
    if (token === 'alice') return alice;
    if (token === 'admin') return { ...alice, isAdmin: true };
    if (token === 'locked' && allowLocked) return alice;
    if (token === 'locked') throw new MatrixError(401, 'M_USER_LOCKED', 'locked', { soft_logout: true });
    if (token === 'expired') throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'expired', { soft_logout: true });
    throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'unknown');
  },
  isCurrent: () => false,
};

export const sendEcho = defineEndpoint({
  operationId: 'sendMessage',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}',
  auth: 'accessToken',
  rateLimit: 'send',
  params: { roomId: string(), eventType: string(), txnId: string() },
  query: { ts: optional(queryInteger({ min: 0 })) },
  body: object({ body: string(), count: optional(integer()) }),
  handle: async ({ params, query, body, requester }) => ({
    json: { ...params, ts: query.ts, body: body.body, count: body.count, sender: requester.userId },
  }),
});

export const stateEcho = defineEndpoint({
  operationId: 'getRoomStateWithKey',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}',
  alsoAt: ['/_matrix/client/v3/rooms/{roomId}/state/{eventType}'],
  auth: 'none',
  rateLimit: 'none',
  params: { roomId: string(), eventType: string(), stateKey: withDefault(string(), '') },
  query: { via: withDefault(arrayOf(string()), []), one: optional(string()) },
  handle: async ({ params, query }) => ({ json: { ...params, via: query.via, one: query.one } }),
});

export const profileEcho = defineEndpoint({
  operationId: 'getProfileField',
  method: 'GET',
  path: '/_matrix/client/v3/profile/{userId}/{keyName}',
  auth: 'optionalAccessToken',
  rateLimit: 'none',
  params: { userId: string(), keyName: string() },
  query: {},
  handle: async ({ params, requester }) => ({ json: { ...params, asker: requester?.userId } }),
});
export const displayNameEcho = defineEndpoint({
  operationId: 'setDisplayName',
  method: 'PUT',
  path: '/_matrix/client/v3/profile/{userId}/displayname',
  auth: 'none',
  rateLimit: 'none',
  params: { userId: string() },
  query: {},
  body: object({ displayname: string() }),
  bodyBytesMax: 200,
  handle: async ({ params, body }) => ({ json: { ...params, ...body } }),
});
export const logOutEcho = defineEndpoint({
  operationId: 'logout',
  method: 'POST',
  path: '/_matrix/client/v3/logout',
  auth: 'accessToken',
  rateLimit: 'none',
  allowLocked: true,
  params: {},
  query: {},
  handle: async () => ({ json: {} }),
});
export const adminEcho = defineEndpoint({
  operationId: 'adminEcho',
  method: 'GET',
  path: '/_synapse/admin/v1/echo',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async ({ client }) => ({ json: { address: client.address, origin: client.origin } }),
});
export const failing = defineEndpoint({
  operationId: 'failing',
  method: 'GET',
  path: '/_matrix/client/v3/failing',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: () => Promise.reject(new TypeError('secret detail')),
});

export const echoEndpoints: readonly Endpoint<unknown>[] = [
  profileEcho,
  displayNameEcho,
  sendEcho,
  stateEcho,
  logOutEcho,
  adminEcho,
  failing,
];
