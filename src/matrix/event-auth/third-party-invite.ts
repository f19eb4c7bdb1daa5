import type { AuthResult, RoomEvent, StateLookup } from '../events/room-event.ts';
import { verifyKeyFromBase64, type VerifyKey } from '../crypto/ed25519.ts';
import { decodeBase64 } from '../ids/base64.ts';
import { canonicalJsonOf, CanonicalJsonError } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { signableText } from '../json/signed-json.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { allowed, refused } from './auth-rule.ts';
import { effectiveMembership } from './effective-membership.ts';

/**
 * Whether an invite with a `third_party_invite` is the one that an `m.room.third_party_invite` event of the state promised.
 * An honest one has one signature and a few keys; after 64 pairs of a signature and a key none is looked at any more.
 * https://spec.matrix.org/v1.19/server-server-api/#third-party-invites
 */
export function checkThirdPartyInvite(
  event: RoomEvent,
  target: string,
  state: StateLookup,
  rules: RoomVersionRules,
): AuthResult {
  if (effectiveMembership(target, state) === 'ban') {
    return refused('third-party invite/banned', 'The user is banned', rules);
  }
  const { third_party_invite: thirdPartyInvite } = event.content;
  const signed = isJsonObject(thirdPartyInvite) ? thirdPartyInvite['signed'] : undefined;
  if (!isJsonObject(signed)) return refused('third-party invite/signed', 'third_party_invite is not signed', rules);
  const { mxid, token } = signed;
  if (typeof mxid !== 'string' || typeof token !== 'string') {
    return refused('third-party invite/mxid and token', 'signed lacks mxid or token', rules);
  }
  if (mxid !== target) return refused('third-party invite/mxid', 'mxid is not the invited user', rules);
  const promise = state('m.room.third_party_invite', token);
  if (promise === undefined) return refused('third-party invite/no event', 'No such invite is in the state', rules);
  if (promise.sender !== event.sender) {
    return refused('third-party invite/sender', 'Another user made the third-party invite', rules);
  }
  if (promisedKeys(promise, signed, rules).next().done !== true) return allowed;
  return refused('third-party invite/otherwise', 'No signature matches a public key of the invite', rules);
}

export interface PromisedKey {
  /** As the room has it. */
  readonly publicKey: string;
  /** Where it is told whether the key is valid; undefined: nowhere. */
  readonly validityUrl: string | undefined;
}

/** Those keys of an `m.room.third_party_invite` event that have signed, one after the other. */
export function* promisedKeys(
  promise: Pick<RoomEvent, 'content'>,
  signed: JsonObject,
  rules: RoomVersionRules,
): Generator<PromisedKey> {
  const bytes = signedBytes(signed, rules);
  if (bytes === undefined) return;
  const keys = publicKeysOf(promise.content);
  let pairs = 0;
  for (const signature of signaturesOf(signed)) {
    for (const key of keys) {
      if (++pairs > pairsMax) return;
      if (key.verifyKey.verify(bytes, signature)) yield key;
    }
  }
}

const pairsMax = 64;

function signedBytes(signed: JsonObject, rules: RoomVersionRules): Uint8Array | undefined {
  try {
    return Buffer.from(signableText(signed, canonicalJsonOf(rules)));
  } catch (error) {
    if (error instanceof CanonicalJsonError) return undefined;
    throw error;
  }
}

/** Every Ed25519 signature, whoever made it. */
function* signaturesOf({ signatures }: JsonObject): Generator<Uint8Array> {
  if (!isJsonObject(signatures)) return;
  for (const ofEntity of Object.values(signatures)) {
    if (!isJsonObject(ofEntity)) continue;
    for (const [keyId, text] of Object.entries(ofEntity)) {
      const signature = keyId.startsWith('ed25519:') && typeof text === 'string' ? decodeBase64(text) : undefined;
      if (signature !== undefined) yield signature;
    }
  }
}

/** "A single public key in the public_key property. A list of public keys in the public_keys property." */
function publicKeysOf(content: JsonObject): (PromisedKey & { readonly verifyKey: VerifyKey })[] {
  const { public_keys: list } = content;
  const keys = new Map<string, PromisedKey & { readonly verifyKey: VerifyKey }>();
  for (const entry of [content, ...(Array.isArray(list) ? (list as readonly JsonValue[]) : [])]) {
    if (keys.size === pairsMax) break;
    if (!isJsonObject(entry)) continue;
    const { public_key: publicKey, key_validity_url: url } = entry;
    const verifyKey = typeof publicKey === 'string' ? verifyKeyFromBase64(publicKey) : undefined;
    if (typeof publicKey !== 'string' || verifyKey === undefined || keys.has(publicKey)) continue;
    keys.set(publicKey, { publicKey, validityUrl: typeof url === 'string' ? url : undefined, verifyKey });
  }
  return [...keys.values()];
}
