/** Servers through which a room may be known, as clients name them. */
import type { ServerName } from '../../../matrix/ids/ids.ts';
import { isServerName } from '../../../matrix/ids/server-name.ts';
import { type DecodedFields, arrayOf, optional, string } from '../../decode.ts';

/** `server_name` is the older name of `via`. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias */
export const viaQuery = {
  via: optional(arrayOf(string(), { max: 100 })),
  server_name: optional(arrayOf(string(), { max: 100 })),
};

/** What is no server name is passed over. */
export function viaOf(query: DecodedFields<typeof viaQuery>): ServerName[] {
  return (query.via ?? query.server_name ?? []).filter((name): name is ServerName => isServerName(name));
}
