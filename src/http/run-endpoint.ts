import type { Requester } from '../accounts/requester.ts';
import { assertNotSuspended } from '../accounts/suspension.ts';
import { forbidden, guestAccessForbidden, MatrixError } from '../matrix/errors.ts';
import type { JsonValue } from '../matrix/json/json-value.ts';
import { parseJson } from '../matrix/json/parse-json.ts';
import { callerOfAddress } from '../platform/caller-of-address.ts';
import { findAccessToken, missingToken } from './auth/access-token.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { ServerAuthenticator } from './auth/server-authenticator.ts';
import type { ServerTurns } from './auth/server-turns.ts';
import { countCall, countUnknownToken } from './count-call.ts';
import { decodePath, decodeQuery } from './decode-parameters.ts';
import type { AnyReply, Endpoint } from './endpoint.ts';
import { EndpointCall } from './endpoint-call.ts';
import type { Exchange } from './exchange.ts';
import type { HttpLimits } from './http-limits.ts';
import { parseFormBody } from './parse-body.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { ReceivedBytes } from './received-bytes.ts';
import { isBodyHere, readBody } from './read-body.ts';
import { runSignedEndpoint } from './run-signed-endpoint.ts';
import { streamBody } from './stream-body.ts';

/** What every endpoint runs on. */
export interface EndpointServices<Domain> {
  readonly domain: Domain;
  readonly auth: Authenticator;
  /** undefined: nothing is served that other servers sign. */
  readonly servers: ServerAuthenticator | undefined;
  readonly serverTurns: ServerTurns;
  readonly rateLimiter: RateLimiter | undefined;
  readonly limits: HttpLimits;
  readonly receivedBytes: ReceivedBytes;
}

/**
 * The one way a request takes, whichever table found its endpoint: authenticate, rate limit, decode the parameters, read the
 * body within its limit (authenticate again if it was long in coming), parse, decode, handle (and again if that waited). Throws what any step throws; the caller answers.
 */
export async function runEndpoint<Domain>(
  endpoint: Endpoint<Domain>,
  exchange: Exchange,
  pathParameters: Readonly<Record<string, string | undefined>>,
  services: EndpointServices<Domain>,
): Promise<AnyReply> {
  if (endpoint.auth === 'serverSignature') {
    if (services.servers === undefined) throw new Error(`nothing verifies the signatures of ${endpoint.operationId}`);
    return runSignedEndpoint(endpoint, exchange, pathParameters, { ...services, servers: services.servers });
  }
  let requester = endpoint.auth === 'none' ? undefined : await authenticateFirst(endpoint, exchange, services);
  countCall(endpoint.rateLimit, requester, exchange, services.rateLimiter);
  const params = decodePath(endpoint, pathParameters);
  const query = decodeQuery(endpoint, exchange.query);
  let body: unknown;
  if (endpoint.streamsBody === true) body = streamBody(exchange, services.limits.transferIdleMs);
  else if (endpoint.body !== undefined) {
    const isPartial = !isBodyHere(exchange);
    body = await decodeBody(endpoint, exchange, requester, services);
    // Who sends slowly may have been logged out, locked or suspended before the end.
    if (isPartial && requester !== undefined) requester = await authenticate(endpoint, exchange, services.auth);
  }
  const reply = await endpoint.handle(new EndpointCall(params, query, body, requester, exchange), services.domain);
  // Nothing of what came while it waited is for a session that has ended.
  if (
    exchange.isWaiting &&
    endpoint.streamsBody !== true &&
    requester !== undefined &&
    !services.auth.isCurrent(requester)
  )
    await authenticate(endpoint, exchange, services.auth);
  return reply;
}

async function authenticateFirst<Domain>(
  endpoint: Endpoint<Domain>,
  exchange: Exchange,
  { auth, rateLimiter }: EndpointServices<Domain>,
): Promise<Requester | undefined> {
  try {
    return await authenticate(endpoint, exchange, auth);
  } catch (error) {
    // What is asked for needs another secret than the token, so nobody guesses here.
    if (endpoint.auth === 'knownAccessToken' && isUnauthorized(error)) return undefined;
    countUnknownToken(error, exchange, rateLimiter);
    throw error;
  }
}

async function authenticate<Domain>(
  endpoint: Endpoint<Domain>,
  exchange: Exchange,
  auth: Authenticator,
): Promise<Requester | undefined> {
  const token = findAccessToken(exchange.request.headers.authorization, exchange.query);
  if (token === undefined) {
    if (endpoint.auth === 'optionalAccessToken' || endpoint.auth === 'knownAccessToken') return undefined;
    throw missingToken();
  }
  const { allowLocked = false, allowExpired = false } = endpoint;
  const requester = await auth.authenticate(token, { allowLocked, allowExpired, client: exchange });
  // Where nobody needs an account, guests do not need more of one.
  if (requester.isGuest && endpoint.allowGuests !== true && endpoint.auth !== 'optionalAccessToken')
    throw guestAccessForbidden('Guests may not do this: register an account first');
  if (endpoint.auth === 'adminAccessToken' && !requester.isAdmin)
    throw forbidden('Only server administrators may do this');
  if (endpoint.refusedWhileSuspended === true) assertNotSuspended(requester);
  return requester;
}

const isUnauthorized = (error: unknown): boolean => error instanceof MatrixError && error.status === 401;

function bodyBytesMax<Domain>(
  endpoint: Endpoint<Domain>,
  requester: Requester | undefined,
  limits: HttpLimits,
): number {
  if (endpoint.bodyBytesMax !== undefined) return endpoint.bodyBytesMax;
  return requester !== undefined ? limits.requestBodyBytesMax : limits.unauthenticatedBodyBytesMax;
}

async function decodeBody<Domain>(
  endpoint: Endpoint<Domain>,
  exchange: Exchange,
  requester: Requester | undefined,
  { limits, receivedBytes }: EndpointServices<Domain>,
): Promise<unknown> {
  const bytesMax = bodyBytesMax(endpoint, requester, limits);
  const bytes = await readBody(exchange, bytesMax, limits.transferIdleMs, () =>
    receivedBytes.begin(requester?.userId ?? callerOfAddress(exchange.address)),
  );
  let value: JsonValue;
  if (endpoint.bodyFormat === 'form') value = parseFormBody(bytes);
  else if (endpoint.bodyFormat === 'text') value = bytes.toString('utf8');
  else value = bytes.length === 0 ? {} : parseJson(bytes, { depthMax: limits.jsonDepthMax });
  return endpoint.body?.decode(value, 'body');
}
