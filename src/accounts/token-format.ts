/**
 * What tokens look like: `vca_` (access), `vcr_` (refresh), `vcl_` (login), `vcs_` (set-up), `vco_` (OpenID), 32 random
 * characters (192 bits) and a checksum of 6. The prefix lets people and secret scanners recognise a leaked token, the checksum lets us refuse
 * garbage and typing errors without asking the database. To clients tokens are opaque.
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Random } from '../platform/ports.ts';

const prefixes = { access: 'vca_', refresh: 'vcr_', login: 'vcl_', setup: 'vcs_', openid: 'vco_' } as const;
export type TokenKind = keyof typeof prefixes;

export function mintToken(kind: TokenKind, random: Pick<Random, 'bytes'>): string {
  const body = prefixes[kind] + random.bytes(24).toString('base64url');
  return body + checksum(body);
}

/** SHA-256, the only form in which a token is stored. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** The same bytes as a text with a character for each, as a key of what is held in memory. */
export function tokenKey(token: string): string {
  return hash('sha256', token, 'binary');
}

/** False when the text looks like one of our tokens but was altered. Texts of other forms may come from another server's database. */
export function isPlausibleToken(token: string): boolean {
  if (token.length > tokenLengthMax) return false;
  if (!ourForm.test(token)) return true;
  return checksum(token.slice(0, -checksumLength)) === token.slice(-checksumLength);
}

export const tokenLengthMax = 1024;
const checksumLength = 6;
const ourForm = /^vc[arlso]_[A-Za-z0-9_-]{38}$/;

function checksum(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64url');
}
