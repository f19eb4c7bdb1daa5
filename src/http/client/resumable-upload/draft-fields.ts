/** The header fields of draft-ietf-httpbis-resumable-upload; each is a structured field (RFC 9651). */
import { MatrixError } from '../../../matrix/errors.ts';
import type { ResumableUploads } from '../../../media/resumable/resumable-uploads.ts';
import type { UploadProgress } from '../../../media/resumable/upload-progress.ts';
import { inconsistentLength } from '../../../media/resumable/upload-problems.ts';
import type { RawReply, StreamedBody } from '../../endpoint.ts';
import { contentUriHeader, errorReply, resumablePath } from './upload-exchange.ts';

/** The version of the draft whose 104 responses these are: only clients of the same version get them. */
const interopVersion = '8';

/** Other values count as absent, as the draft has it for each of its fields. */
export function integerField(text: string | undefined): number | undefined {
  const [, digits] = /^[ ]*(\d{1,15})[ ]*(?:;.*)?$/.exec(text ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
export function booleanField(text: string | undefined): boolean | undefined {
  const [, digit] = /^[ ]*\?([01])[ ]*(?:;.*)?$/.exec(text ?? '') ?? [];
  return digit === undefined ? undefined : digit === '1';
}

/**
 * The whole length that a request says: by Upload-Length, or because its body is the rest. undefined: it says none. Throws where
 * it says two.
 */
export function lengthSaid(
  said: number | undefined,
  {
    offsetBytes,
    isLast,
    body,
  }: { readonly offsetBytes: number; readonly isLast: boolean; readonly body: StreamedBody },
): number | undefined {
  const ofBody = isLast && body.lengthBytes !== undefined ? offsetBytes + body.lengthBytes : undefined;
  if (said !== undefined && ofBody !== undefined && said !== ofBody) throw inconsistentLength();
  return said ?? ofBody;
}

export const locationOf = (token: string): string => `${resumablePath}/upload/${token}`;

export const limitHeader = ({ uploadBytesMax }: Pick<ResumableUploads, 'uploadBytesMax'>, maxAgeMs?: number): string =>
  [`max-size=${uploadBytesMax}`, ...(maxAgeMs === undefined ? [] : [`max-age=${Math.floor(maxAgeMs / 1000)}`])].join(
    ', ',
  );

/** What is told of an upload in each answer. */
export function progressHeaders(progress: UploadProgress): Record<string, string> {
  return {
    'Upload-Complete': progress.isComplete ? '?1' : '?0',
    'Upload-Offset': String(progress.offsetBytes),
    ...(progress.lengthBytes === undefined ? {} : { 'Upload-Length': String(progress.lengthBytes) }),
    ...contentUriHeader(progress.uri),
    'Cache-Control': 'no-store',
  };
}

/** Whether the client understands 104 responses of ours. */
export const understandsInterim = (request: { header(name: string): string | undefined }): boolean =>
  integerField(request.header('upload-draft-interop-version')) === Number(interopVersion);

export function sendInterim(body: StreamedBody, headers: Readonly<Record<string, string>>): void {
  body.inform(104, { ...headers, 'Upload-Draft-Interop-Version': interopVersion });
}

/** Answers what is wrong with an upload in the draft's form. */
export async function withProblems(
  uploads: Pick<ResumableUploads, 'uploadBytesMax'>,
  work: () => Promise<RawReply>,
): Promise<RawReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    return errorReply(error, error.status === 413 ? { 'Upload-Limit': limitHeader(uploads) } : {});
  }
}
