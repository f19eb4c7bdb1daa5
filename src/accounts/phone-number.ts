import { callingCodes, trunkPrefixes } from './calling-codes.ts';

/**
 * The international numbers (digits only, as 3pids of medium msisdn are stored) that a number as a person typed it may
 * stand for, dialled from a country: the likeliest first. Empty when the country is unknown or there are no digits.
 * Without the numbering plan of every country there is no telling whether a leading 0 belongs to the number (Italy) or is
 * the trunk prefix (most others), so both are tried. https://spec.matrix.org/v1.19/client-server-api/#phone-number
 */
export function phoneNumberCandidates(country: string, phone: string): readonly string[] {
  const digits = phone.replaceAll(/\D/g, '');
  if (digits === '' || digits.length > digitsMax) return [];
  if (phone.trimStart().startsWith('+')) return [digits];
  if (digits.startsWith('00')) return digits.length > 2 ? [digits.slice(2)] : [];
  const code = callingCodes.get(country.toUpperCase());
  if (code === undefined) return [];
  const trunk = trunkPrefixes.get(country.toUpperCase()) ?? '0';
  const candidates = digits.startsWith(trunk) ? [code + digits.slice(trunk.length), code + digits] : [code + digits];
  // Some type the country's own code without the plus.
  return [...new Set(digits.startsWith(code) ? [...candidates, digits] : candidates)];
}

/** E.164 allows 15; room for the prefixes around it. */
const digitsMax = 20;
