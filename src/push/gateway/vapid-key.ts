/** The key by which push services know this server. https://www.rfc-editor.org/rfc/rfc8292 */
import { createECDH } from 'node:crypto';
import type { Random } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import { findServerFact, setServerFact } from '../../storage/server-facts.ts';

/** Both in URL-safe unpadded Base64; the public one is an uncompressed point. */
export interface VapidKey {
  readonly publicKey: string;
  readonly privateKey: string;
}

const fact = 'web_push_key';

/** Made when it is first asked for, and kept for ever: subscriptions are bound to it. */
export class VapidKeys {
  readonly #db: Database;
  readonly #random: Random;
  #key: Promise<VapidKey> | undefined;

  constructor(db: Database, random: Random) {
    this.#db = db;
    this.#random = random;
  }

  get(): Promise<VapidKey> {
    if (this.#key === undefined) {
      this.#key = this.#load();
      this.#key.catch(() => (this.#key = undefined));
    }
    return this.#key;
  }

  async #load(): Promise<VapidKey> {
    const stored = await findServerFact(this.#db, fact);
    if (stored !== undefined) return keyFrom(Buffer.from(stored, 'base64url'));
    const secret = this.#random.bytes(32);
    const key = keyFrom(secret);
    await setServerFact(this.#db, fact, key.privateKey);
    return key;
  }
}

function keyFrom(secret: Buffer): VapidKey {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(secret);
  return { publicKey: curve.getPublicKey().toString('base64url'), privateKey: secret.toString('base64url') };
}
