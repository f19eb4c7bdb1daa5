/**
 * Cross-origin resource sharing. Every path of the API carries these headers, unknown paths and errors included, because
 * clients live on other origins. The start page, health and metrics do not: nobody reads them from another origin.
 * https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
export const allowsOtherOrigins = (path: string): boolean => path.startsWith('/_') || path.startsWith('/.well-known/');

/** Of a path's answers: names and values in turn, as ServerResponse.writeHead takes them. */
export const corsHeadersAt = (path: string): readonly string[] => (isMedia(path) ? mediaCors : generalCors);

/** Browsers may keep the answer to a pre-flight request for a day: it never depends on anything. */
export const preflightHeadersAt = (path: string): readonly string[] => (isMedia(path) ? mediaPreflight : preflight);

/** Retry-After is not among the response headers that a page of another origin sees by itself. */
export const exposeRetryAfterAt = (path: string): readonly string[] => (isMedia(path) ? [] : exposeRetryAfter);

/** Files come and go in parts, so more is said in headers. */
const isMedia = (path: string): boolean =>
  path.startsWith('/_matrix/media/') ||
  path.startsWith('/_matrix/media_proxy/') ||
  path.startsWith('/_matrix/client/v1/media/');

const origin = ['Access-Control-Allow-Origin', '*'];
const generalCors: readonly string[] = [
  ...origin,
  'Access-Control-Allow-Methods',
  'GET, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers',
  'X-Requested-With, Content-Type, Authorization',
];
const mediaCors: readonly string[] = [
  ...origin,
  'Access-Control-Allow-Methods',
  'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  'Access-Control-Allow-Headers',
  'X-Requested-With, Content-Type, Authorization, Range, If-Range, If-None-Match, X-HTTP-Method-Override, ' +
    'Tus-Resumable, Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, ' +
    'Upload-Complete, Upload-Draft-Interop-Version, Content-Disposition',
  'Access-Control-Expose-Headers',
  'Location, Retry-After, Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, ' +
    'Accept-Patch, Matrix-Content-Uri, Tus-Version, Tus-Resumable, Tus-Max-Size, Tus-Extension, ' +
    'Upload-Offset, Upload-Length, Upload-Metadata, Upload-Expires, Upload-Complete, Upload-Limit, Upload-Draft-Interop-Version',
];
const maxAge = ['Access-Control-Max-Age', '86400'];
const preflight: readonly string[] = [...generalCors, ...maxAge];
const mediaPreflight: readonly string[] = [...mediaCors, ...maxAge];
const exposeRetryAfter: readonly string[] = ['Access-Control-Expose-Headers', 'Retry-After'];
