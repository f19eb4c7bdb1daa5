import type { ServerName } from '../matrix/ids/ids.ts';
import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { plainFileName } from './file-name.ts';
import type { MediaContext } from './context.ts';
import { storeUpload, withStoreErrors } from './upload-content.ts';

export interface OwnContent {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly fileName: string | undefined;
}

/** Stores what the server itself has found, as a file of nobody. Throws 507 M_UNKNOWN when there is no room. */
export async function addOwnContent(ctx: MediaContext, serverName: ServerName, content: OwnContent): Promise<MxcUri> {
  const { bytes, contentType } = content;
  const uri = { serverName, mediaId: ctx.random.bytes(18).toString('base64url') };
  const partial = await withStoreErrors(() => ctx.blobs.receive(asChunks(bytes), bytes.length));
  const fileName = content.fileName === undefined ? undefined : plainFileName(content.fileName);
  await storeUpload(ctx, partial, uri, { contentType, fileName, user: undefined });
  return uri;
}

/** Bytes that are here already, as what comes in: a copy, because the memory of what comes in is given away. */
export async function* asChunks(bytes: Buffer): AsyncIterable<Buffer> {
  if (bytes.length > 0) yield Buffer.copyBytesFrom(bytes);
}
