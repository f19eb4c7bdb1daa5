/** https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events */
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { type SignatureFault, verifySignedText } from '../json/signed-json.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { VerifyKey } from './ed25519.ts';
import { signableEventText } from './reference-hash.ts';

export type EventSignatureResult =
  { readonly ok: true } | { readonly ok: false; readonly serverName: string; readonly reason: SignatureFault };

/**
 * A key of a server by its id; undefined: not known, or not valid for this event. Where the room version enforces it, the key
 * must be valid at the event's origin_server_ts: that is for the one who finds keys to see to.
 */
export type FindServerKey = (serverName: string, keyId: string) => VerifyKey | undefined;

/**
 * The servers that must have signed the event: the sender's, unless the event is a third-party invite; in room versions 1
 * and 2 that of the event id; of a restricted join that of the user who authorised it. A name may be no valid
 * server name where the event is malformed; then nobody can have signed.
 */
export function requiredSigners(pdu: JsonObject, rules: RoomVersionRules): readonly string[] {
  const signers = new Set<string>();
  if (!isThirdPartyInvite(pdu)) signers.add(domainOf(pdu['sender']));
  if (rules.signatures.eventIdServer) signers.add(domainOf(pdu['event_id']));
  if (rules.signatures.joinAuthorisingServer) {
    const authorisedBy = authorisingUser(pdu);
    if (authorisedBy !== undefined) signers.add(domainOf(authorisedBy));
  }
  return [...signers];
}

/**
 * Whether every required server has signed, with good signatures by all of its keys that are known. `signable`: the text
 * that `signableEventText` gives, where it is at hand. Throws CanonicalJsonError otherwise, when the event has no
 * canonical form.
 */
export function verifyEventSignatures(
  pdu: JsonObject,
  rules: RoomVersionRules,
  findKey: FindServerKey,
  signable: string = signableEventText(pdu, rules),
): EventSignatureResult {
  for (const serverName of requiredSigners(pdu, rules)) {
    const result = verifySignedText(signable, pdu['signatures'], serverName, (keyId) => findKey(serverName, keyId));
    if (!result.ok) return { ok: false, serverName, reason: result.reason };
  }
  return { ok: true };
}

function isThirdPartyInvite(pdu: JsonObject): boolean {
  const content = memberContent(pdu, 'invite');
  return content !== undefined && Object.hasOwn(content, 'third_party_invite');
}

/** Who let somebody join a restricted room. https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms */
function authorisingUser(pdu: JsonObject): JsonValue | undefined {
  const content = memberContent(pdu, 'join');
  return content !== undefined && Object.hasOwn(content, 'join_authorised_via_users_server')
    ? content['join_authorised_via_users_server']
    : undefined;
}

function memberContent(pdu: JsonObject, membership: string): JsonObject | undefined {
  const content = pdu['content'];
  const isMember = pdu['type'] === 'm.room.member' && isJsonObject(content) && content['membership'] === membership;
  return isMember ? content : undefined;
}

/** What follows the first colon of an identifier; empty where there is none, which is no server's name. */
function domainOf(id: JsonValue | undefined): string {
  if (typeof id !== 'string') return '';
  const colon = id.indexOf(':');
  return colon === -1 ? '' : id.slice(colon + 1);
}
