/** What the operations of the content repository have in common. */
import { notFound } from '../../../matrix/errors.ts';
import { isMediaId, type MxcUri } from '../../../matrix/ids/mxc-uri.ts';
import { isServerName } from '../../../matrix/ids/server-name.ts';
import type { ArrivingContent, OpenedContent } from '../../../media/open-content.ts';
import { limits } from '../../../platform/limits.ts';
import { optional, queryBoolean, queryInteger, string, withDefault } from '../../decode.ts';
import type { ContentReply, StreamedBody, StreamReply } from '../../endpoint.ts';

export const mxcParams = { serverName: string(), mediaId: string() };

/** The URI that a path names. Throws 404 M_NOT_FOUND for what can be none: nothing of it reaches a file system. */
export function mxcOf({ serverName, mediaId }: { readonly serverName: string; readonly mediaId: string }): MxcUri {
  if (!isServerName(serverName) || !isMediaId(mediaId)) throw notFound('There is no such content');
  return { serverName, mediaId };
}

export const timeoutQuery = { timeout_ms: withDefault(queryInteger({ min: 0 }), limits.mediaWaitMsDefault) };
/** `allow_redirect`: contents are never answered by redirection here. */
export const legacyQuery = {
  ...timeoutQuery,
  allow_redirect: optional(queryBoolean()),
  allow_remote: withDefault(queryBoolean(), true),
};
export const uploadQuery = { filename: optional(string()) };

/** What a request says of the file in its body. */
export const uploadFacts = (request: {
  readonly query: { readonly filename: string | undefined };
  readonly body: StreamedBody;
  header(name: string): string | undefined;
}): { contentType: string | undefined; fileName: string | undefined; lengthBytes: number | undefined } => ({
  contentType: request.header('content-type'),
  fileName: request.query.filename,
  lengthBytes: request.body.lengthBytes,
});

/**
 * Throws 404 M_NOT_FOUND where files need an access token: to the paths of before Matrix 1.11 all that is stored here came after
 * the freeze. https://spec.matrix.org/v1.19/client-server-api/#content-repo-client-behaviour
 */
export function assertNotFrozen({ allowUnauthenticated }: { readonly allowUnauthenticated: boolean }): void {
  if (!allowUnauthenticated) throw notFound('Content is served at /_matrix/client/v1/media, with an access token');
}

/** A file as an answer. https://spec.matrix.org/v1.19/client-server-api/#content-repository */
export function contentReply(content: OpenedContent): ContentReply {
  return {
    headers: {
      'Content-Type': content.contentType,
      'Content-Disposition': content.contentDisposition,
      ...contentHeaders,
    },
    content: {
      sizeBytes: content.sizeBytes,
      etag: content.sha256.toString('base64url'),
      open: (range) => content.open(range),
    },
  };
}

/** As `contentReply`; what still comes is sent as it comes. */
export function downloadReply(content: OpenedContent | ArrivingContent): ContentReply | StreamReply {
  if (!('follow' in content)) return contentReply(content);
  const { lengthBytes, contentType, contentDisposition } = content;
  return {
    headers: { 'Content-Type': contentType, 'Content-Disposition': contentDisposition, ...contentHeaders },
    stream: { lengthBytes, open: async () => content.follow() },
  };
}

/** Files are what strangers made: nothing in them may run, and what is under a URI never changes. */
export const contentHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';",
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'private, max-age=31536000, immutable',
};
