import { compileGlob, type Glob } from '../glob/glob.ts';
import { parseServerName } from '../ids/server-name.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';

/** A room's access control list, ready to be asked. */
export interface ServerAcl {
  /** Whether the server may take part in the room. The port of the name does not matter. */
  allows(serverName: string): boolean;
}

/**
 * Reads the content of `m.room.server_acl`; `undefined` stands for a room without that event, which everybody may join.
 * Fields of a wrong type count as absent, so a malformed list denies every server, as an empty one does. Keep the
 * result for as long as the event stands: reading a list of thousands costs more than asking it.
 * https://spec.matrix.org/v1.19/client-server-api/#mroomserver_acl
 */
export function compileServerAcl(content: JsonObject | undefined): ServerAcl {
  if (content === undefined) return { allows: () => true };
  const ipLiteralsAllowed = content['allow_ip_literals'] !== false;
  const denied = compileList(content['deny']);
  const allowed = compileList(content['allow']);
  return {
    allows(serverName) {
      const { host, isIpLiteral } = hostOf(serverName);
      if (isIpLiteral && !ipLiteralsAllowed) return false;
      return !denied(host) && allowed(host);
    },
  };
}

/** Whether the host, in lower case, matches one of the patterns. Most entries are plain names, so those are looked up. */
function compileList(patterns: JsonValue | undefined): (host: string) => boolean {
  const names = new Set<string>();
  const globs: Glob[] = [];
  for (const pattern of Array.isArray(patterns) ? patterns : []) {
    if (typeof pattern !== 'string') continue;
    const glob = compileGlob(pattern.toLowerCase());
    if (glob.literal === undefined) globs.push(glob);
    else names.add(glob.literal);
  }
  return (host) => names.has(host) || globs.some((glob) => glob.matches(host));
}

function hostOf(serverName: string): { readonly host: string; readonly isIpLiteral: boolean } {
  const name = serverName.toLowerCase();
  return parseServerName(name) ?? { host: name, isIpLiteral: false };
}
