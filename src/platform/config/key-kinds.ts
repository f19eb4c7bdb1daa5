import { decodeBase64 } from '../../matrix/ids/base64.ts';
import * as kind from './kinds.ts';

export const base64 = (what: string): kind.Kind<string> =>
  kind.text(`${what} in unpadded Base64`, (value) =>
    value !== '' && decodeBase64(value) !== undefined ? value : undefined,
  );

export const base64OfLength = (what: string, bytes: number): kind.Kind<string> =>
  kind.text(`${what} in unpadded Base64`, (value) => (decodeBase64(value)?.length === bytes ? value : undefined));

export const keyIdText = kind.text('a key id, such as ed25519:a_abcd', (value) =>
  /^ed25519:[A-Za-z0-9_]+$/.test(value) ? value : undefined,
);
