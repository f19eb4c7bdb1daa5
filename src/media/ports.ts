/** What files need of parts that this one must not import. The composition root hands the implementations over. */
import type { ServerName } from '../matrix/ids/ids.ts';

/** Files of other servers; `federation` implements it. */
export interface RemoteContents {
  /** Begins to fetch one. Rejects with the MatrixError that clients are told; the signal's reason when that is aborted. */
  open(request: RemoteContentRequest): Promise<RemoteContent>;
}
export interface RemoteContentRequest {
  readonly serverName: ServerName;
  readonly mediaId: string;
  /** How long the other server may wait for what is not uploaded yet. */
  readonly timeoutMs: number;
  /** Also ends the content. */
  readonly signal: AbortSignal;
}
/** Nothing that is said of it has to be true. */
export interface RemoteContent {
  /** As in the headers of HTTP. */
  readonly contentType: string | undefined;
  readonly contentDisposition: string | undefined;
  readonly lengthBytes: number | undefined;
  /** To be read once, or closed. Ends only where the file does, or rejects as `open` does. */
  readonly chunks: AsyncIterable<Buffer>;
  close(): Promise<void>;
}
