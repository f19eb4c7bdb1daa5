/** Which servers may take part in a room. https://spec.matrix.org/v1.19/server-server-api/#server-access-control-lists-acls */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { ServerName } from '../matrix/ids/ids.ts';
import { compileServerAcl, type ServerAcl } from '../matrix/server-acl/server-acl.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';

/** By the event as it is: a redaction makes another object of it. */
const compiled = new WeakMap<RoomEvent, ServerAcl>();
const everybody: ServerAcl = compileServerAcl(undefined);

/** As the room has it now. */
export async function accessListOf(dag: RoomDag): Promise<ServerAcl> {
  const event = await dag.currentEvent('m.room.server_acl', '');
  if (event === undefined) return everybody;
  const known = compiled.get(event);
  if (known !== undefined) return known;
  const acl = compileServerAcl(event.content);
  compiled.set(event, acl);
  return acl;
}

export async function isAllowedIn(dag: RoomDag, server: ServerName): Promise<boolean> {
  return (await accessListOf(dag)).allows(server);
}
