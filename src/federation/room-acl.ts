/** https://spec.matrix.org/v1.19/server-server-api/#server-access-control-lists-acls */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { ServerName } from '../matrix/ids/ids.ts';
import { compileServerAcl, type ServerAcl } from '../matrix/server-acl/server-acl.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';

/** Whether the room's current access control list lets the server take part. */
export async function isAllowedIn(dag: RoomDag, server: ServerName): Promise<boolean> {
  const event = await dag.currentEvent('m.room.server_acl', '');
  if (event === undefined) return true;
  const acl = compiled.get(event) ?? compileServerAcl(event.content);
  compiled.set(event, acl);
  return acl.allows(server);
}

/** By the event as it is: a redaction makes another object of it. */
const compiled = new WeakMap<RoomEvent, ServerAcl>();
