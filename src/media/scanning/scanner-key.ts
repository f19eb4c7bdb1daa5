/** The key that clients encrypt requests about encrypted files with. */
import { PkDecryption } from '../../matrix/crypto/pk-decryption.ts';
import type { Random } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import { findServerFact, setServerFact } from '../../storage/server-facts.ts';

const fact = 'content_scanner_key';

/** Made when it is first asked for, and kept for ever: clients remember its public half. */
export class ScannerKey {
  readonly #db: Database;
  readonly #random: Random;
  #key: Promise<PkDecryption> | undefined;

  constructor(db: Database, random: Random) {
    this.#db = db;
    this.#random = random;
  }

  get(): Promise<PkDecryption> {
    if (this.#key === undefined) {
      this.#key = this.#load();
      this.#key.catch(() => (this.#key = undefined));
    }
    return this.#key;
  }

  async #load(): Promise<PkDecryption> {
    const stored = await findServerFact(this.#db, fact);
    if (stored !== undefined) return new PkDecryption(Buffer.from(stored, 'base64url'));
    const secret = this.#random.bytes(32);
    await setServerFact(this.#db, fact, secret.toString('base64url'));
    return new PkDecryption(secret);
  }
}
