/** The limits that the HTTP layer keeps. `platform/limits.ts` has the values. */
export interface HttpLimits {
  /** For bodies of endpoints that state no other limit. */
  readonly requestBodyBytesMax: number;
  /** Of requests that nobody vouches for: whoever sends them needs no account, and their bodies wait in memory. */
  readonly unauthenticatedBodyBytesMax: number;
  /** For bodies that are parsed in a worker. */
  readonly federationBodyBytesMax: number;
  /** Of one other server, that are answered at once; four times as many may wait. */
  readonly federationRequestsPerServerMax: number;
  /** Of bodies that are being received for one user or address, and for all together. */
  readonly receivedBytesPerCallerMax: number;
  readonly receivedBytesMax: number;
  readonly jsonDepthMax: number;
  /** How long a sender may send nothing, or a reader take nothing, while a body is being transferred. */
  readonly transferIdleMs: number;
  /** How much of a body that nobody wants is read before the connection is cut, so that the client can read the answer. */
  readonly unwantedBodyBytesMax: number;
  /** From the first byte of a connection or request to the end of its headers. */
  readonly requestHeadersMs: number;
  readonly requestHeaderBytesMax: number;
  readonly requestHeadersMax: number;
  /** Of one listener. Further connections are refused. */
  readonly connectionsMax: number;
  readonly keepAliveMs: number;
  /** Requests that take longer are logged, long polls excepted. */
  readonly slowRequestMs: number;
  /** How long a closing listener waits for the requests in flight. */
  readonly closeGraceMs: number;
}
