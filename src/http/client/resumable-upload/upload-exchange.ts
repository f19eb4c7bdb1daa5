/** What both interfaces of resumable uploads have in common. docs/resumable-uploads.md */
import { type MatrixError, invalidParam } from '../../../matrix/errors.ts';
import { formatMxcUri, type MxcUri, parseMxcUri } from '../../../matrix/ids/mxc-uri.ts';
import { UploadProblemError } from '../../../media/resumable/upload-problems.ts';
import type { RawReply } from '../../endpoint.ts';

export const resumablePath = '/_matrix/media/unstable/org.veche.resumable';

/** Tells in every answer what the upload will be. */
export const contentUriHeader = (uri: MxcUri): Readonly<Record<string, string>> => ({
  'Matrix-Content-Uri': formatMxcUri(uri),
});

/** A URI that was created before, to be filled. Throws M_INVALID_PARAM. */
export function uriToFill(text: string | undefined): MxcUri | undefined {
  if (text === undefined) return undefined;
  const uri = parseMxcUri(text);
  if (uri === undefined) throw invalidParam('content_uri is no mxc URI');
  return uri;
}

/** An error as an answer: of Matrix in any case, with the problem's details where it is one. */
export function errorReply(error: MatrixError, headers: Readonly<Record<string, string>>): RawReply {
  const problem = error instanceof UploadProblemError ? error : undefined;
  const retryAfterMs = error.extra['retry_after_ms'];
  const body = problem === undefined ? error.body() : { status: error.status, ...error.body() };
  return {
    status: error.status,
    headers: {
      'Content-Type': problem === undefined ? 'application/json' : 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(problem?.offsetBytes === undefined ? {} : { 'Upload-Offset': String(problem.offsetBytes) }),
      ...(typeof retryAfterMs === 'number' ? { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) } : {}),
      ...headers,
    },
    raw: JSON.stringify(body),
  };
}
