/**
 * Cross-origin resource sharing. Every path of the API carries these headers, unknown paths and errors included, because
 * clients live on other origins. The start page, health and metrics do not: nobody reads them from another origin.
 * https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
export const allowsOtherOrigins = (path: string): boolean => path.startsWith('/_') || path.startsWith('/.well-known/');

/** Names and values in turn, as ServerResponse.writeHead takes them. */
export const corsHeaders: readonly string[] = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Allow-Methods',
  'GET, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers',
  'X-Requested-With, Content-Type, Authorization',
];

/** Browsers may keep the answer to a pre-flight request for a day: it never depends on anything. */
export const preflightHeaders: readonly string[] = [...corsHeaders, 'Access-Control-Max-Age', '86400'];

/** Retry-After is not among the response headers that a page of another origin sees by itself. */
export const exposeRetryAfter: readonly string[] = ['Access-Control-Expose-Headers', 'Retry-After'];
