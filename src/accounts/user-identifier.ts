/** How a client names the person who logs in. https://spec.matrix.org/v1.19/client-server-api/#identifier-types */
import { badJson, invalidParam, missingParam } from '../matrix/errors.ts';
import { canonicalEmail } from '../matrix/ids/email.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { phoneNumberCandidates } from './phone-number.ts';

export type UserIdentifier =
  /** A full user id, or its localpart. */
  | { readonly kind: 'user'; readonly user: string }
  /** Canonical addresses that it may stand for, the likeliest first. */
  | { readonly kind: 'threepid'; readonly medium: string; readonly addresses: readonly string[] };

/**
 * Reads `identifier`, or the deprecated forms `user` and `medium` with `address` in its place.
 * Throws 400 M_MISSING_PARAM, M_BAD_JSON or M_INVALID_PARAM.
 */
export function parseUserIdentifier(body: JsonObject): UserIdentifier {
  const { identifier } = body;
  if (identifier === undefined || identifier === null) return parseDeprecated(body);
  if (!isJsonObject(identifier)) throw badJson('identifier must be an object');
  switch (identifier['type']) {
    case 'm.id.user':
      return { kind: 'user', user: text(identifier, 'user') };
    case 'm.id.thirdparty':
      return threepid(text(identifier, 'medium'), text(identifier, 'address'));
    case 'm.id.phone': {
      // Synapse once took `number` for `phone`, and clients of that time still send it.
      const phone = text(identifier, identifier['phone'] === undefined ? 'number' : 'phone');
      const addresses = phoneNumberCandidates(text(identifier, 'country'), phone);
      if (addresses.length === 0) throw invalidParam('identifier has a country or phone number that cannot be read');
      return { kind: 'threepid', medium: 'msisdn', addresses };
    }
    case undefined:
      // The specification's own example of a login by e-mail address has no type.
      if (identifier['medium'] !== undefined) return threepid(text(identifier, 'medium'), text(identifier, 'address'));
      throw missingParam('identifier.type is missing');
    default:
      throw invalidParam('identifier.type is not known');
  }
}

function parseDeprecated(body: JsonObject): UserIdentifier {
  if (body['user'] !== undefined) return { kind: 'user', user: text(body, 'user') };
  if (body['medium'] !== undefined) return threepid(text(body, 'medium'), text(body, 'address'));
  throw missingParam('identifier is missing');
}

function threepid(medium: string, address: string): UserIdentifier {
  const canonical = medium === 'email' ? canonicalEmail(address) : address;
  if (canonical === undefined) throw invalidParam('the address cannot be read');
  return { kind: 'threepid', medium, addresses: [canonical] };
}

function text(object: JsonObject, name: string): string {
  const value = object[name];
  if (value === undefined || value === null) throw missingParam(`${name} is missing`);
  if (typeof value !== 'string') throw badJson(`${name} must be a string`);
  return value;
}
