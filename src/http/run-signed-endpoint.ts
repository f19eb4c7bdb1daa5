/** The way of a request that another server makes. https://spec.matrix.org/v1.19/server-server-api/#request-authentication */
import type { RequestSignature, UnverifiedBody } from '../federation/contract.ts';
import type { ClaimedOrigin, RequestHead } from '../federation/incoming/request-authenticator.ts';
import type { JsonValue } from '../matrix/json/json-value.ts';
import { federationJsonDepthMax, parseJson } from '../matrix/json/parse-json.ts';
import { callerOfAddress } from '../platform/caller-of-address.ts';
import type { ServerAuthenticator } from './auth/server-authenticator.ts';
import type { ServerTurns } from './auth/server-turns.ts';
import { decodePath, decodeQuery } from './decode-parameters.ts';
import type { AnyReply, Endpoint } from './endpoint.ts';
import { EndpointCall } from './endpoint-call.ts';
import { limitExceeded } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { HttpLimits } from './http-limits.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { readBody } from './read-body.ts';
import type { ReceivedBytes } from './received-bytes.ts';

/** What endpoints for other servers run on. */
export interface SignedEndpointServices<Domain> {
  readonly domain: Domain;
  readonly servers: ServerAuthenticator;
  readonly serverTurns: ServerTurns;
  readonly rateLimiter: RateLimiter | undefined;
  readonly limits: HttpLimits;
  readonly receivedBytes: ReceivedBytes;
}

/**
 * Who is it, may they, are they too many; then their keys, the body within its limit, its signature, and only then what it says.
 * Anybody can write any origin into a header, so until the signature is verified what is counted is counted for the origin
 * from this address, and who signs badly runs out of attempts.
 */
export async function runSignedEndpoint<Domain>(
  endpoint: Endpoint<Domain>,
  exchange: Exchange,
  pathParameters: Readonly<Record<string, string | undefined>>,
  services: SignedEndpointServices<Domain>,
): Promise<AnyReply> {
  const head = headOf(exchange);
  const claim = services.servers.claim(head);
  const caller = `${claim.origin} ${callerOfAddress(exchange.address)}`;
  countRequest(endpoint, caller, services.rateLimiter);
  const attempt = countAttempt(exchange, services.rateLimiter);
  return services.serverTurns.run(caller, () =>
    answer(endpoint, pathParameters, { exchange, head, claim, caller, attempt }, services),
  );
}

interface Incoming {
  readonly exchange: Exchange;
  readonly head: RequestHead;
  readonly claim: ClaimedOrigin;
  readonly caller: string;
  readonly attempt: Attempt;
}
interface Attempt {
  succeeded(): void;
}

async function answer<Domain>(
  endpoint: Endpoint<Domain>,
  pathParameters: Readonly<Record<string, string | undefined>>,
  { exchange, head, claim, caller, attempt }: Incoming,
  services: SignedEndpointServices<Domain>,
): Promise<AnyReply> {
  const { servers, limits, receivedBytes, domain } = services;
  const signature = await servers.loadKeys(claim, head);
  const hasBody = endpoint.body !== undefined || endpoint.isUnverified === true;
  const bytes = hasBody
    ? await readBody(exchange, bodyBytesMax(endpoint, limits), limits.transferIdleMs, () => receivedBytes.begin(caller))
    : empty;
  let body: unknown;
  if (endpoint.isUnverified === true) body = unverified(bytes, signature, attempt, servers);
  else {
    const content = bytes.length === 0 ? undefined : parseJson(bytes, exactly);
    servers.assertSigned(signature, content);
    attempt.succeeded();
    body = decodeBody(endpoint, content);
  }
  const params = decodePath(endpoint, pathParameters);
  const query = decodeQuery(endpoint, exchange.query);
  const { origin, destination } = signature;
  return endpoint.handle(new EndpointCall(params, query, body, { origin, destination }, exchange), domain);
}

function headOf(exchange: Exchange): RequestHead {
  const { method = 'GET', url = '/', headersDistinct, headers } = exchange.request;
  return { method, uri: url, authorization: headersDistinct.authorization ?? [], host: headers.host };
}

/** Numbers keep their text, because the signature covers it. */
const exactly = { depthMax: federationJsonDepthMax, numbers: 'exact' } as const;
const empty = Buffer.alloc(0);

const decodeBody = <Domain>(endpoint: Endpoint<Domain>, content: JsonValue | undefined): unknown =>
  endpoint.body?.decode(content ?? {}, 'body');

/** What is parsed here is parsed before its signature is known, and by the thread that everybody waits for. */
function bodyBytesMax<Domain>(endpoint: Endpoint<Domain>, limits: HttpLimits): number {
  if (endpoint.isUnverified === true) return limits.federationBodyBytesMax;
  return endpoint.bodyBytesMax ?? Math.min(limits.requestBodyBytesMax, limits.federationBodyBytesMax);
}

function unverified(
  bytes: Buffer,
  signature: RequestSignature,
  attempt: Attempt,
  servers: ServerAuthenticator,
): UnverifiedBody {
  return {
    bytes,
    signature,
    confirm: () => {
      attempt.succeeded();
      servers.confirm(signature);
    },
  };
}

/** Throws 429 M_LIMIT_EXCEEDED. */
function countRequest<Domain>({ rateLimit }: Endpoint<Domain>, caller: string, limiter: RateLimiter | undefined): void {
  if (rateLimit === 'none') return;
  const retryAfterMs = limiter?.take(rateLimit, 'server', caller) ?? 0;
  if (retryAfterMs > 0) throw limitExceeded(retryAfterMs);
}

/** Every request counts as a bad one of its address until it turns out to be none. Throws 429 M_LIMIT_EXCEEDED. */
function countAttempt({ address }: Exchange, limiter: RateLimiter | undefined): Attempt {
  const caller = callerOfAddress(address);
  const retryAfterMs = limiter?.take('unknownSignatures', 'address', caller) ?? 0;
  if (retryAfterMs > 0) throw limitExceeded(retryAfterMs);
  return { succeeded: () => limiter?.giveBack('unknownSignatures', 'address', caller) };
}
