import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import type { UploadRow } from '../../storage/stores/upload-store.ts';
import { uriOf } from './finish-upload.ts';

/** Where an upload is. */
export interface UploadProgress {
  /** What it will be, or is. */
  readonly uri: MxcUri;
  /** From where it continues. So much of it survives whatever happens. */
  readonly offsetBytes: number;
  /** undefined until the client has said it. */
  readonly lengthBytes: number | undefined;
  readonly isComplete: boolean;
  /** Milliseconds since the Unix epoch: until when it may be continued, or asked for. Each continuation prolongs it. */
  readonly expiresTs: number;
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
}

export const progressOf = (row: UploadRow, offsetBytes: number): UploadProgress => ({
  uri: uriOf(row),
  offsetBytes,
  lengthBytes: row.bytes ?? undefined,
  isComplete: row.completed_ts !== null,
  expiresTs: row.expires_ts,
  contentType: row.content_type ?? undefined,
  fileName: row.file_name ?? undefined,
});
