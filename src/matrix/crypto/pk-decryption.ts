/**
 * Messages to whoever has an X25519 key, as libolm's PkEncryption makes them: the algorithm of key backups.
 * https://spec.matrix.org/v1.19/client-server-api/#backup-algorithm-mmegolm_backupv1curve25519-aes-sha2
 */
import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { decodeBase64, encodeBase64 } from '../ids/base64.ts';

/** Each in unpadded Base64. */
export interface PkMessage {
  readonly ciphertext: string;
  readonly mac: string;
  /** The public half of a key that was made for this message alone. */
  readonly ephemeral: string;
}

export class PkDecryption {
  /** Unpadded Base64. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  /** Of a secret of 32 bytes. Throws RangeError otherwise. */
  constructor(secret: Uint8Array) {
    if (secret.length !== keyBytes) throw new RangeError(`An X25519 key has 32 bytes, not ${secret.length}.`);
    this.#key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, secret]), format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    this.publicKey = encodeBase64(spki.subarray(-keyBytes));
  }

  /** undefined: it is not for this key, or was changed, or is no message. Which of these it is nobody learns. */
  decrypt({ ciphertext, mac, ephemeral }: PkMessage): Buffer | undefined {
    const encrypted = decodeBase64(ciphertext);
    const givenMac = decodeBase64(mac);
    const publicKey = decodeBase64(ephemeral);
    if (encrypted === undefined || givenMac?.length !== macBytes || publicKey?.length !== keyBytes) return undefined;
    try {
      const { aesKey, macKey, iv } = this.#agree(publicKey);
      // libolm computed it of nothing instead of the ciphertext, and so does everybody since.
      const ownMac = createHmac('sha256', macKey).update('').digest().subarray(0, macBytes);
      if (!timingSafeEqual(ownMac, givenMac)) return undefined;
      const cipher = createDecipheriv('aes-256-cbc', aesKey, iv);
      return Buffer.concat([cipher.update(encrypted), cipher.final()]);
    } catch {
      // A public key of small order, or padding that is none.
      return undefined;
    }
  }

  #agree(rawPublicKey: Buffer): { readonly aesKey: Buffer; readonly macKey: Buffer; readonly iv: Buffer } {
    const publicKey = createPublicKey({ key: Buffer.concat([spkiPrefix, rawPublicKey]), format: 'der', type: 'spki' });
    const shared = diffieHellman({ privateKey: this.#key, publicKey });
    const derived = Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(32), Buffer.alloc(0), 80));
    return { aesKey: derived.subarray(0, 32), macKey: derived.subarray(32, 64), iv: derived.subarray(64) };
  }
}

const keyBytes = 32;
const macBytes = 8;
/** DER of an X25519 key up to its 32 bytes. https://www.rfc-editor.org/rfc/rfc8410 */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');
