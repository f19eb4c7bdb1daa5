/** What the operations of the content scanner have in common. https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md */
import type { Requester } from '../../../accounts/requester.ts';
import type { MatrixError } from '../../../matrix/errors.ts';
import type { JsonObject } from '../../../matrix/json/json-value.ts';
import type { Media } from '../../../media/index.ts';
import { callerOfAddress } from '../../../platform/caller-of-address.ts';
import { limits } from '../../../platform/limits.ts';
import { missingToken } from '../../auth/access-token.ts';
import { type Decoded, json, object, optional, string } from '../../decode.ts';
import type { ClientInfo } from '../../endpoint.ts';
import { unrecognizedPath } from '../../errors.ts';

type Scanner = NonNullable<Media['contentScanner']>;
export interface ScannerDomain {
  readonly media: Pick<Media, 'contentScanner'>;
}

/** Throws 404 M_UNRECOGNIZED where nothing is scanned, 401 M_MISSING_TOKEN for who may not ask without an access token. */
export function scannerFor({ media }: ScannerDomain, requester: Requester | undefined): Scanner {
  const scanner = scannerOf(media);
  if (requester === undefined && !scanner.allowUnauthenticated) throw missingToken();
  return scanner;
}

/** Throws 404 M_UNRECOGNIZED where nothing is scanned. */
export function scannerOf({ contentScanner }: ScannerDomain['media']): Scanner {
  if (contentScanner === undefined) throw unrecognizedPath();
  return contentScanner;
}

/** How this API names errors: `reason` and `info`. */
export const scannerErrorFields = (error: MatrixError): JsonObject => ({
  reason: error.extra['reason'] ?? reasons[error.errcode] ?? (error.status === 404 ? 'M_NOT_FOUND' : 'M_UNKNOWN'),
  info: error.message,
});

const reasons: Readonly<Record<string, string>> = {
  M_NOT_JSON: 'MCS_MALFORMED_JSON',
  M_BAD_JSON: 'MCS_MALFORMED_JSON',
  M_MISSING_PARAM: 'MCS_MALFORMED_JSON',
  M_INVALID_PARAM: 'MCS_MALFORMED_JSON',
  M_MISSING_TOKEN: 'M_MISSING_TOKEN',
  M_UNKNOWN_TOKEN: 'M_UNKNOWN_TOKEN',
  M_NOT_YET_UPLOADED: 'MCS_MEDIA_REQUEST_FAILED',
};

export const encryptedFileBody = object({
  file: optional(json()),
  encrypted_body: optional(object({ ciphertext: string(), mac: string(), ephemeral: string() })),
});

export const encryptedFileRequest = ({ file, encrypted_body: encryptedBody }: Decoded<typeof encryptedFileBody>) => ({
  file,
  encryptedBody,
});

/** Nobody waits here for what is not uploaded yet for longer than elsewhere. */
export const openOptions = (request: { readonly signal: AbortSignal }) => ({
  timeoutMs: limits.mediaWaitMsDefault,
  signal: () => request.signal,
});

/** Whose scans wait for each other. */
export const callerOf = ({
  requester,
  client,
}: {
  readonly requester: Requester | undefined;
  readonly client: ClientInfo;
}): string => requester?.userId ?? callerOfAddress(client.address);
