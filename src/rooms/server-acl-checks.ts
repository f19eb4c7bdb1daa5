/** What a client may not say in `m.room.server_acl`. https://spec.matrix.org/v1.19/client-server-api/#mroomserver_acl */
import { badJson, invalidParam } from '../matrix/errors.ts';
import type { ServerName } from '../matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { compileServerAcl } from '../matrix/server-acl/server-acl.ts';

/**
 * A list that shuts out its sender's own server would make the room unusable, and nobody could take it back; so would one
 * that is read otherwise than it was meant. Throws M_BAD_JSON, M_INVALID_PARAM.
 */
export function checkServerAcl(content: JsonObject, ownServer: ServerName): void {
  const { allow, deny, allow_ip_literals: allowIpLiterals } = content;
  for (const [name, list] of [
    ['allow', allow],
    ['deny', deny],
  ] as const)
    if (list !== undefined && !isListOfTexts(list)) throw badJson(`${name} must be an array of strings`);
  if (allowIpLiterals !== undefined && typeof allowIpLiterals !== 'boolean')
    throw badJson('allow_ip_literals must be a boolean');
  if (!compileServerAcl(content).allows(ownServer))
    throw invalidParam(`The list would shut out ${ownServer}, your own server`);
}

function isListOfTexts(value: JsonValue): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
