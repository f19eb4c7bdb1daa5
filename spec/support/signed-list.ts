/** Federation lists as their makers sign them, with the certificates of spec/fixtures/federation-list. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CompactSign, FlattenedSign, GeneralSign } from 'jose';
import type { JsonValue } from '../../src/matrix/json/json-value.ts';

export type Signer = 'signer' | 'other-signer' | 'expired' | 'impostor';

/** The path of a certificate. */
export const listCertificate = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/federation-list/${name}.pem`, import.meta.url));

const keyOf = (signer: Signer) => createPrivateKey(readFileSync(listCertificate(signer).replace(/pem$/, 'key')));
const derOf = (name: string): string => new X509Certificate(readFileSync(listCertificate(name))).raw.toString('base64');

export interface ListSigning {
  readonly by?: Signer;
  readonly form?: 'compact' | 'flattened' | 'general';
  /** Names of certificates; absent: the signer's and the intermediate's. */
  readonly chain?: readonly string[];
  /** Of the header, instead of a chain. */
  readonly x5c?: unknown;
}

/** `claims`: what is signed. */
export async function signList(claims: JsonValue, options: ListSigning = {}): Promise<string> {
  const {
    by = 'signer',
    form = 'compact',
    chain = [by, by === 'impostor' ? 'impostor-root' : 'intermediate'],
  } = options;
  const payload = Buffer.from(JSON.stringify(claims));
  const header = { alg: 'ES256', x5c: (options.x5c ?? chain.map(derOf)) as string[] };
  if (form === 'compact') return new CompactSign(payload).setProtectedHeader(header).sign(keyOf(by));
  if (form === 'flattened')
    return JSON.stringify(await new FlattenedSign(payload).setProtectedHeader(header).sign(keyOf(by)));
  const general = new GeneralSign(payload);
  general.addSignature(keyOf(by)).setProtectedHeader(header);
  return JSON.stringify(await general.sign());
}
