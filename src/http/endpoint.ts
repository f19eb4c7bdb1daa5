/**
 * One endpoint is one file named after the specification's operationId and exports one value made here:
 * where it is, who may call it, what it takes, and a handler of a few lines that calls one domain function.
 */
import type { Readable } from 'node:stream';
import type { Requester } from '../accounts/requester.ts';
import type { RequestingServer, UnverifiedBody } from '../federation/contract.ts';
import type { MatrixError } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Decoded, Decoder } from './decode.ts';

/** HEAD is answered wherever GET is; it is named only by what answers it otherwise. */
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH' | 'HEAD';

/**
 * `optionalAccessToken`: a token is checked if there is one. `knownAccessToken`: one that is unknown, or has expired, is as
 * none. `adminAccessToken`: a server administrator's.
 */
export type AuthScheme =
  'none' | 'accessToken' | 'optionalAccessToken' | 'knownAccessToken' | 'adminAccessToken' | 'serverSignature';
interface RequesterOf {
  none: undefined;
  accessToken: Requester;
  optionalAccessToken: Requester | undefined;
  knownAccessToken: Requester | undefined;
  adminAccessToken: Requester;
  serverSignature: RequestingServer;
}

/**
 * Which of the configured rate limits counts the call; 'none' for what costs nobody anything. See platform/config. 'federation': what
 * other servers ask.
 */
export type RateLimitClass =
  | 'none'
  | 'read'
  | 'send'
  | 'signal'
  | 'create'
  | 'account'
  | 'login'
  | 'register'
  | 'mail'
  | 'invite'
  | 'report'
  | 'upload'
  | 'download'
  | 'preview'
  | 'federation';

export interface EndpointRequest<Params, Query, Body, Who> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly requester: Who;
  readonly client: ClientInfo;
  /**
   * Aborted when the client has gone, and when the server shuts down: whoever waits stops waiting and answers with what it
   * has (nobody reads the answer if the client has gone). A request that asks for this signal is a long poll: it never
   * counts as slow.
   */
  readonly signal: AbortSignal;
  /** A request header by its lower-case name, for what the decoders do not cover: cookies, languages, conditions. */
  header(name: string): string | undefined;
}
export interface ClientInfo {
  readonly address: string;
  readonly userAgent: string | undefined;
  readonly requestId: string;
  /** scheme://host as the client used it; X-Forwarded-* of trusted proxies considered. */
  readonly origin: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is serialised; text and bytes must be JSON already. */
  readonly json: JsonObject | readonly JsonObject[] | string | Buffer;
}
/** Other content than JSON: pages, metrics, redirects. */
export interface RawReply {
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string | Buffer;
}

/**
 * A file, or anything else that is too large for memory. Conditions and ranges of the request are answered by send-content.ts,
 * so `headers` have none of Content-Length, Content-Range, Accept-Ranges and ETag.
 */
export interface ContentReply {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: ReplyContent;
}
export interface ReplyContent {
  readonly sizeBytes: number;
  /** Of exactly these bytes: what has another content has another tag. Without quotes. */
  readonly etag: string;
  /** Bytes from `start` up to and not including `end`; absent: all. Not called where no bytes are sent. */
  open(range?: { readonly start: number; readonly end: number }): Promise<Readable>;
}

/** Bytes that come once and in their order, so that neither conditions nor ranges of the request are answered. */
export interface StreamReply {
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: {
    /** undefined: not known before the end. */
    readonly lengthBytes: number | undefined;
    /** The answer ends as a whole only where this does; where it throws, the connection is cut. Not called where no bytes are sent. */
    open(): Promise<AsyncIterable<Buffer>>;
  };
}

/** JSON that is too large for memory, in the order in which it is sent. */
export interface JsonPiecesReply {
  readonly jsonPieces: AsyncIterable<Buffer>;
}

/** A request's body that is read while it comes. */
export interface StreamedBody {
  /** As the client announced it; undefined where it did not. */
  readonly lengthBytes: number | undefined;
  /**
   * The bytes, no faster than they are taken. Throws ClientGone when the client disappears, or sends nothing for a while, before
   * the end; 415 for a compressed body. To be read once.
   */
  chunks(): AsyncIterable<Buffer>;
  /** Ends the connection at once. */
  cut(): void;
  /** Sends an informational response before the final one, if that has not begun. `status` from 100 to 199. */
  inform(status: number, headers: Readonly<Record<string, string>>): void;
}

type DecoderRecord = Readonly<Record<string, Decoder<unknown>>>;
type DecodedRecord<R extends DecoderRecord> = { readonly [K in keyof R]: Decoded<R[K]> };

export interface EndpointDefinition<
  Auth extends AuthScheme,
  Params extends DecoderRecord,
  Query extends DecoderRecord,
  Body,
  Domain,
> {
  /** The specification's operationId; for our own endpoints a name of the same form. */
  readonly operationId: string;
  /** Further operations of the specification with the same method and path, told apart by their parameters. */
  readonly alsoOperationIds?: readonly string[];
  readonly method: Method;
  /** With the specification's parameter names: /_matrix/client/v3/rooms/{roomId}/join */
  readonly path: string;
  /** Further paths that answer the same, such as unstable prefixes. */
  readonly alsoAt?: readonly string[];
  readonly auth: Auth;
  readonly rateLimit: RateLimitClass;
  /** Deactivation, logout and the like must also work for locked accounts; everything else refuses them. */
  readonly allowLocked?: boolean;
  /** What also accounts may do that have expired. */
  readonly allowExpired?: boolean;
  /** What guests may do; everything else is refused with 403 M_GUEST_ACCESS_FORBIDDEN. https://spec.matrix.org/v1.19/client-server-api/#guest-access */
  readonly allowGuests?: boolean;
  /**
   * What a suspended person may not do: 403 M_USER_SUSPENDED. https://spec.matrix.org/v1.19/client-server-api/#account-suspension
   * Where it depends on the request, the handler calls `assertNotSuspended`.
   */
  readonly refusedWhileSuspended?: boolean;
  /** Tokens and the like, which may have to stand beside what others chose: never compressed, because lengths would tell. */
  readonly repliesWithSecrets?: boolean;
  /** Further fields of the bodies of errors, in an API that has its own names for them. */
  readonly errorFields?: (error: MatrixError) => JsonObject;
  readonly params: Params;
  readonly query: Query;
  /** Absent: no body is read. An empty body decodes as {}. */
  readonly body?: Decoder<Body>;
  /** `form`: application/x-www-form-urlencoded, as HTML forms send it; the decoder sees an object of strings. `text`: it sees the body as it is. */
  readonly bodyFormat?: 'json' | 'form' | 'text';
  /** Limit for the body in bytes, where it differs from what http-limits.ts says for all. */
  readonly bodyBytesMax?: number;
  /** Made by `defineRawEndpoint`: the handler reads the body itself. */
  readonly streamsBody?: boolean;
  /** Made by `defineUnverifiedEndpoint`: the handler verifies the request's signature itself. */
  readonly isUnverified?: boolean;
  handle(
    request: EndpointRequest<DecodedRecord<Params>, DecodedRecord<Query>, Body, RequesterOf[Auth]>,
    domain: Domain,
  ): Promise<AnyReply>;
}
export type AnyReply = Reply | RawReply | ContentReply | StreamReply | JsonPiecesReply;

/** An endpoint with its types forgotten, as the router holds it. `Domain` stays: the composition root must provide it. */
export interface Endpoint<Domain> extends Omit<
  EndpointDefinition<AuthScheme, DecoderRecord, DecoderRecord, unknown, Domain>,
  'handle'
> {
  /** A property, not a method, so that the compiler finds a part of the domain that an endpoint needs and nobody provides. */
  readonly handle: (request: EndpointRequest<never, never, never, never>, domain: Domain) => Promise<AnyReply>;
}

/**
 * `domain` is as narrow as the handler needs, for example `{ rooms: Pick<Rooms, 'sendEvent'> }`:
 * annotate the handler's second parameter.
 */
export function defineEndpoint<
  const Auth extends AuthScheme,
  Params extends DecoderRecord,
  Query extends DecoderRecord,
  Body = undefined,
  Domain = unknown,
>(definition: EndpointDefinition<Auth, Params, Query, Body, Domain>): Endpoint<Domain> {
  return definition as Endpoint<Domain>;
}

type RawDefinition<Auth extends AuthScheme, Params extends DecoderRecord, Query extends DecoderRecord, Domain> = Omit<
  EndpointDefinition<Auth, Params, Query, StreamedBody, Domain>,
  'body' | 'bodyFormat' | 'bodyBytesMax' | 'streamsBody'
>;

/**
 * An endpoint whose handler reads the request's body while it comes, such as an upload. Who calls is asked once, at the
 * beginning: a token that expires on the way ends nothing. The handler keeps its own limit on the body's length.
 */
export function defineRawEndpoint<
  const Auth extends AuthScheme,
  Params extends DecoderRecord,
  Query extends DecoderRecord,
  Domain = unknown,
>(definition: RawDefinition<Auth, Params, Query, Domain>): Endpoint<Domain> {
  return { ...definition, streamsBody: true } as Endpoint<Domain>;
}

type UnverifiedDefinition<Params extends DecoderRecord, Query extends DecoderRecord, Domain> = Omit<
  EndpointDefinition<'serverSignature', Params, Query, UnverifiedBody, Domain>,
  'auth' | 'body' | 'bodyFormat' | 'bodyBytesMax' | 'streamsBody' | 'isUnverified'
>;

/**
 * An endpoint for other servers whose body is too large to be parsed where everybody waits. It gets the bytes and what its
 * signature must be verified with; the requester only says who it is until the handler has done so.
 */
export function defineUnverifiedEndpoint<Params extends DecoderRecord, Query extends DecoderRecord, Domain = unknown>(
  definition: UnverifiedDefinition<Params, Query, Domain>,
): Endpoint<Domain> {
  return { ...definition, auth: 'serverSignature', isUnverified: true } as Endpoint<Domain>;
}
