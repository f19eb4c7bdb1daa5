/**
 * Takes secrets out of a line of the log, whatever wrote it: tokens in URLs and headers, values of keys that hold secrets at any depth and in JSON
 * within JSON, and passwords in database URLs. The last line of defence: who logs leaves secrets out.
 */
export function withoutSecrets(line: string): string {
  // Most lines hold none of these words.
  if (!suspicious.test(line)) return line;
  return line
    .replace(inQuery, '$1[secret]')
    .replace(inHeader, '$1 [secret]')
    .replace(inJson, '$1[secret]$2')
    .replace(inJsonInJson, '$1[secret]$2')
    .replace(inDatabaseUrl, '$1[secret]@')
    .replace(inUrlAuthority, '$1[secret]@')
    .replace(ownToken, '[secret]');
}

const secretKeys = [
  'password',
  'new_password',
  'newPassword',
  'access_token',
  'accessToken',
  'refresh_token',
  'refreshToken',
  'login_token',
  'loginToken',
  'token',
  'authorization',
  'cookie',
  'set-cookie',
  'shared_secret',
  'sharedSecret',
  'client_secret',
  'as_token',
  'hs_token',
  'secret',
  'setup',
  'mac',
].join('|');

const suspicious = new RegExp(`${secretKeys}|bearer|basic|:\\/\\/|vc[a-z]_`, 'i');
const inQuery = new RegExp(`([?&;](?:${secretKeys})=)[^&\\s"'\\\\#<>]+`, 'gi');
const inHeader = /\b(Bearer|Basic) [\w.~+/=-]{16,}/gi;
/** Tokens of our own, by their form (accounts/token-format.ts). */
const ownToken = /\bvc[a-z]_[\w-]{20,}/g;
const inJson = new RegExp(`("(?:${secretKeys})"\\s*:\\s*")(?:[^"\\\\]|\\\\.)*(")`, 'gi');
const inJsonInJson = new RegExp(`(\\\\"(?:${secretKeys})\\\\"\\s*:\\s*\\\\").*?((?<!\\\\)\\\\")`, 'gi');
/** Up to the last @ before the path: passwords are not always encoded as they should be. */
const inUrlAuthority = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@"\\]*:)[^\s/"\\]+@/gi;
/** No database has an @ behind its host, so whatever stands before the last one may be a part of the password, slashes too. */
const inDatabaseUrl = /(\bpostgres(?:ql)?:\/\/[^\s:/@"\\]*:)(?:[^\s"\\]|\\.)*@/gi;
