import { type VerifyKey, verifyKeyFromBase64 } from '../../matrix/crypto/ed25519.ts';
import { Lru } from '../../platform/lru.ts';

/** Keys made of their Base64 text, remembered: making one costs as much as verifying with it. */
export class VerifyKeys {
  readonly #keys: Lru<string, VerifyKey>;

  constructor(keysMax: number) {
    this.#keys = new Lru({ sizeMax: keysMax });
  }

  /** undefined: the text is no Ed25519 key. */
  find(publicKey: string): VerifyKey | undefined {
    const known = this.#keys.find(publicKey);
    if (known !== undefined) return known;
    const made = verifyKeyFromBase64(publicKey);
    if (made !== undefined) this.#keys.set(publicKey, made);
    return made;
  }
}
