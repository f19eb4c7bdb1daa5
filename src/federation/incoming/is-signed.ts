import { verifyRequest } from '../../matrix/crypto/x-matrix.ts';
import type { JsonValue } from '../../matrix/json/json-value.ts';
import type { RequestSignature } from '../contract.ts';
import type { VerifyKeys } from '../keys/verify-keys.ts';

/**
 * Whether the origin has signed the request. `content`: its body, parsed with `numbers: 'exact'`; undefined: there was none.
 * https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function isSigned(signature: RequestSignature, content: JsonValue | undefined, keys: VerifyKeys): boolean {
  const { method, uri, origin, destination, signatures } = signature;
  const request = { method, uri, origin, destination, content };
  return (
    signatures.length > 0 &&
    signatures.every(({ keyId, sig, publicKey }) => {
      const key = keys.find(publicKey);
      return key !== undefined && verifyRequest({ origin, destination, key: keyId, sig }, request, key).ok;
    })
  );
}
