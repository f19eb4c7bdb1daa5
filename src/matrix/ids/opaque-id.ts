/** Small grammars of identifiers without structure. */

/** https://spec.matrix.org/v1.19/appendices/#opaque-identifiers, `lengthMax` characters at most. */
export function isOpaqueId(value: unknown, lengthMax = 255): value is string {
  return typeof value === 'string' && value.length <= lengthMax && opaque.test(value);
}

/** https://spec.matrix.org/v1.19/appendices/#common-namespaced-identifier-grammar */
export function isNamespacedId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && namespaced.test(value);
}

/** Whether the text may name a room version, known or not. https://spec.matrix.org/v1.19/rooms/#room-version-grammar */
export function isRoomVersionText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 32 && roomVersion.test(value);
}

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3registeremailrequesttoken */
export function isClientSecret(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && clientSecret.test(value);
}

/** https://spec.matrix.org/v1.19/client-server-api/#ordering-of-children-within-a-space */
export function isSpaceChildOrder(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 50 && spaceChildOrder.test(value);
}

export interface KeyIdParts {
  /** Such as `ed25519`. */
  readonly algorithm: string;
  /** May be empty in the ids of device keys. */
  readonly name: string;
}

/** Splits `algorithm:name`. undefined: no colon, or no algorithm before it. */
export function parseKeyId(keyId: string): KeyIdParts | undefined {
  const colon = keyId.indexOf(':');
  return colon < 1 ? undefined : { algorithm: keyId.slice(0, colon), name: keyId.slice(colon + 1) };
}

const opaque = /^[0-9A-Za-z._~-]+$/;
const namespaced = /^[a-z][a-z0-9._-]*$/;
const roomVersion = /^[a-z0-9.-]+$/;
const clientSecret = /^[0-9a-zA-Z.=_-]+$/;
const spaceChildOrder = /^[ -~]*$/;
