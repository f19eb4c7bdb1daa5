/** https://spec.matrix.org/v1.19/client-server-api/#matrix-content-mxc-uris */
import type { ServerName } from './ids.ts';
import { isServerName } from './server-name.ts';

export interface MxcUri {
  readonly serverName: ServerName;
  readonly mediaId: string;
}

/** undefined: not `mxc://<server-name>/<media-id>`. */
export function parseMxcUri(uri: string): MxcUri | undefined {
  const match = mxc.exec(uri);
  const [, serverName, mediaId] = match ?? [];
  return isServerName(serverName) && mediaId !== undefined ? { serverName, mediaId } : undefined;
}

/** Alphanumeric characters, `_` and `-`; not empty. */
export function isMediaId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && mediaIdText.test(value);
}

export function formatMxcUri(uri: MxcUri): string {
  return `mxc://${uri.serverName}/${uri.mediaId}`;
}

const mxc = /^mxc:\/\/([^/]+)\/([A-Za-z0-9_-]{1,255})$/;
const mediaIdText = /^[A-Za-z0-9_-]+$/;
